#include "actuate/saved_file.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include "actuate/keeper.h"
#include "test/actuate/scratch.h"

using namespace hosa;

namespace {

std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

void fill(SavedPages& pages, const std::string& path, std::string_view text) {
  std::memcpy(pages.path, path.c_str(), path.size() + 1);
  std::memcpy(pages.bytes, text.data(), text.size());
  pages.size = static_cast<uint32_t>(text.size());
  pages.set(SavedState::asked);
}

}  // namespace

TEST_CASE("a saved file is replaced whole, is its owner's alone and leaves nothing beside it") {
  const scratch::Directory directory;
  const std::string path = directory / "baseline";
  scratch::spill(path, "the old one, which was longer");
  scratch::spill(path + ".new", "left by a writer that was killed");
  REQUIRE(write_whole(path.c_str(), bytes_of("the new one")));
  CHECK(scratch::slurp(path) == "the new one");
  CHECK_FALSE(std::filesystem::exists(path + ".new"));
  struct stat status {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);
}

TEST_CASE("a file that cannot be saved leaves the old one and says why") {
  const scratch::Directory directory;
  const std::string path = directory / "baseline";
  scratch::spill(path, "old");
  CHECK(write_whole((directory / "nowhere/baseline").c_str(), bytes_of("x")).error().code == ENOENT);
  std::filesystem::create_directory(directory / "taken");
  CHECK_FALSE(write_whole((directory / "taken").c_str(), bytes_of("x")));
  CHECK_FALSE(std::filesystem::exists(directory / "taken.new"));
  CHECK(write_whole((directory / std::string(300, 'x')).c_str(), bytes_of("x")).error().code == ENAMETOOLONG);
  // A link in the place of the file beside it is not followed.
  std::filesystem::create_symlink(path, directory / "other.new");
  REQUIRE(write_whole((directory / "other").c_str(), bytes_of("x")));
  CHECK(scratch::slurp(path) == "old");
}

TEST_CASE("a writer that is killed at any instant leaves the old file or the new one") {
  const scratch::Directory directory;
  const std::string path = directory / "baseline", text[2] = {std::string(30000, 'a'), std::string(30000, 'b')};
  scratch::spill(path, text[0]);
  SavedPages* const pages = SavedPages::map();
  REQUIRE(pages != nullptr);
  int old = 0;
  for (int i = 1; i <= 60; ++i) {
    fill(*pages, path, text[i % 2]);
    const auto pid = start_writer(*pages);
    REQUIRE(pid);
    ::usleep(static_cast<unsigned>(i * 25));
    ::kill(*pid, SIGKILL);
    REQUIRE(::waitpid(*pid, nullptr, 0) == *pid);
    const std::string now = scratch::slurp(path);
    REQUIRE((now == text[0] || now == text[1]));
    old += now != text[i % 2];
  }
  CHECK(old > 0);
}

TEST_CASE("the keeper writes what it is asked to save, and an agent that ends at once need not wait for it") {
  const scratch::Directory directory;
  const std::string path = directory / "baseline";
  SavedPages* const pages = SavedPages::map();
  const scratch::CgroupFixture cgroup;
  scratch::Child agent([&](int, int answers) {
    Journal journal = scratch::journal_in_memory();
    const Roots roots = cgroup.roots();
    auto keeper = Keeper::start(journal, {&roots, {}, pages});
    fill(*pages, path, "learned");
    if (keeper && keeper->ask(make_request(KeeperTask::save, 0, "", 0))) keeper->dismiss();
    scratch::say(answers);
  });
  CHECK(agent.answer() == '!');
  CHECK(scratch::slurp(path) == "learned");
  CHECK(pages->look() == SavedState::done);
}
