#include "test/catch.h"
#include "tools/hosa/trip_check.h"

#include <filesystem>
#include <fstream>

#include "loader/sys/file.h"
#include "test/loader/files.h"

using namespace hosa;
using Answer = TripCheck::Answer;

namespace {

constexpr double kMega = 1024 * 1024, kPage = 4096;

// A procfs with process 7, whose pages are as they are told.
struct Proc {
  std::filesystem::path path;
  Fd root;
  Proc() {
    char name[] = "/tmp/hosa-trip.XXXXXX";
    path = ::mkdtemp(name);
    std::filesystem::create_directory(path / "7");
    std::ofstream(path / "7/stat") << "7 (leaker) S 1 7 7 0 -1 4194304 100 0 0 0 1 1 0 0 20 0 1 0 99 1000000 50 1 1\n";
    holds(1 * kMega);
    root = std::move(*open_directory(AT_FDCWD, path.c_str()));
  }
  ~Proc() { std::filesystem::remove_all(path); }
  void holds(double bytes) const {
    std::ofstream(path / "7/statm") << "9999 " << static_cast<int>(bytes / kPage) << " 0 1 0 9 0\n";
  }
};

hosa_event trip(double time_s, uint32_t span = HOSA_SHORT_WINDOW) {
  hosa_event event{};
  event.subject = HOSA_ANON_BYTES;
  event.span = span;
  event.amount = 256 * 1024;
  event.time_ns = static_cast<uint64_t>(time_s * 1e9);
  event.tgid = 7;
  return event;
}

// A check of process 7, which trips at 10 s; 800 MB were available just before.
struct Tripped {
  Proc proc;
  AvailableHistory available;
  TripCheck check;
  Tripped() { available.note(9.8, 800 * kMega); }
  void begin(double time_s) { begin(trip(time_s), time_s); }
  void begin(const hosa_event& event, double now_s) { check.begin(proc.root, available, event, now_s, kPage); }
  Answer look(double now_s, double available_mb) { return check.look(now_s, available_mb * kMega); }
};

}  // namespace

TEST_CASE("a process that has grown on at both looks is a leak") {
  Tripped t;
  t.begin(10);
  CHECK(t.check.waits());
  CHECK(t.check.due_s() == Approx(10.022));
  t.proc.holds(2 * kMega);
  CHECK(t.look(10.022, 800) == Answer::wait);
  t.proc.holds(3 * kMega);
  CHECK(t.look(10.044, 800) == Answer::grows);
  CHECK(t.check.growth_per_s() == Approx(kMega / 0.022));
  CHECK_FALSE(t.check.waits());
}

TEST_CASE("a process that maps and unmaps is dismissed at the first look that finds it smaller, or at the second") {
  Tripped t;
  t.begin(10);
  t.proc.holds(0.5 * kMega);
  CHECK(t.look(10.022, 800) == Answer::churn);
  CHECK_FALSE(t.check.waits());
  t.begin(11);
  t.proc.holds(2 * kMega);
  CHECK(t.look(11.022, 800) == Answer::wait);
  CHECK(t.look(11.044, 800) == Answer::churn);
}

TEST_CASE("memory that grows in nobody is seen by what is left on the machine") {
  Tripped t;
  t.available.note(8, 900 * kMega);
  t.begin(10);
  CHECK(t.look(10.022, 799.8) == Answer::wait);
  CHECK(t.look(10.044, 799.0) == Answer::grows);
  t.begin(trip(10), 11);
  CHECK(t.look(11.022, 799.9) == Answer::churn);
}

TEST_CASE("a check that has ended keeps no file of its process open") {
  Tripped t;
  const int before = open_descriptors();
  t.begin(10);
  CHECK(open_descriptors() > before);
  CHECK(t.look(10.022, 800) == Answer::churn);
  CHECK(open_descriptors() == before);
}

TEST_CASE("what was left before a second's window is what counts for it") {
  Tripped t;
  t.available.note(8.9, 804 * kMega);
  t.begin(trip(10, HOSA_LONG_WINDOW), 10);
  CHECK(t.check.due_s() == Approx(10.06));
  CHECK(t.look(10.06, 800) == Answer::wait);
  CHECK(t.look(10.12, 799) == Answer::grows);
}

TEST_CASE("a process that has gone and took nothing with it was churn") {
  Tripped t;
  hosa_event event = trip(10);
  event.tgid = 8;
  t.begin(event, 10);
  CHECK(t.look(10.022, 800) == Answer::churn);
}
