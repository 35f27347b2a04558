// A real cgroup of a test's own, for cases tagged [.guest]: they run as root of a machine that is nobody's (the lab's
// scenario `unit`), never on the host of the tests, whose cgroups are left alone.
#pragma once
#include "actuate/limit.h"
#include "proprioception/cgroup_mount.h"
#include "proprioception/cgroup_tree.h"
#include "proprioception/process_status.h"
#include "test/actuate/scratch.h"

namespace scratch {

class GuestCgroup {
 public:
  GuestCgroup() {
    auto proc = hosa::open_directory(AT_FDCWD, "/proc");
    REQUIRE(proc);
    proc_ = std::move(*proc);
    home_ = hosa::open_cgroup_home(proc_, false);
    REQUIRE(home_.directory);
    mount_ = std::string(home_.mount_point.view());
    path_ = "/hosa-test-" + std::to_string(::getpid());
    make("");
    auto directory = hosa::open_directory(home_.directory.get(), path_.c_str() + 1);
    REQUIRE(directory);
    directory_ = std::move(*directory);
  }
  GuestCgroup(const GuestCgroup&) = delete;
  ~GuestCgroup() { remove(mount_ + path_); }

  hosa::Roots roots() const { return {&proc_, &home_.directory}; }
  const hosa::Fd& root() const { return home_.directory; }
  const hosa::Fd& proc() const { return proc_; }
  const hosa::Fd& directory() const { return directory_; }
  const std::string& path() const { return path_; }
  hosa::CgroupRef ref() const { return {&directory_, *hosa::cgroup_id(directory_), path_}; }
  hosa::CgroupRef root_ref() const { return {&home_.directory, *hosa::cgroup_id(home_.directory), "/"}; }

  // "" = the cgroup itself, "/a/b" = below it.
  void make(const std::string& below) const { REQUIRE(::mkdir((mount_ + path_ + below).c_str(), 0755) == 0); }
  std::string file(const std::string& below) const { return mount_ + path_ + below; }
  std::string value(const std::string& below) const { return slurp(file(below)); }
  bool set(const std::string& below, const std::string& text) const { return write(file(below), text); }
  std::string root_value(const std::string& name) const { return slurp(mount_ + "/" + name); }
  bool set_root(const std::string& name, const std::string& text) const { return write(mount_ + "/" + name, text); }
  void enter(const Child& child, const std::string& below = "") const {
    REQUIRE(set(below + "/cgroup.procs", std::to_string(child.pid())));
  }
  std::string where(const Child& child) const {
    const auto path = hosa::read_cgroup_path(proc_, child.pid());
    return path ? std::string(path->view()) : "?";
  }

 private:
  static bool write(const std::string& path, const std::string& text) {
    const hosa::Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
  }
  // Children of the test are ended before (they are declared after the cgroup); their exit may take a moment.
  static void remove(const std::string& path) {
    std::error_code ignored;
    for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
      if (entry.is_directory()) remove(entry.path());
    }
    CHECK(seconds_until(5, [&] { return ::rmdir(path.c_str()) == 0; }) >= 0);
  }

  hosa::Fd proc_, directory_;
  hosa::CgroupHome home_;
  std::string mount_, path_;
};

}  // namespace scratch
