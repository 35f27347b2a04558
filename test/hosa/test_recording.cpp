#include "tools/hosa/recording.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <memory>
#include <string>

#include "loader/sys/fd.h"
#include "test/catch.h"
#include "tools/hosa/csv.h"
#include "tools/hosa/replay_table.h"

using namespace hosa;

namespace {
const detect::Dimension kTwo[] = {
    {"forks", "1/s", detect::Kind::rate, 10, 1, 0.15, detect::Resource::tasks, true},
    {"available", "of RAM", detect::Kind::fraction, 1, -1, 0.005, detect::Resource::memory, false},
};

std::string all_of(const Fd& fd) {
  std::string text(64 * 1024, 0);
  const ssize_t got = ::pread(fd.get(), text.data(), text.size(), 0);
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

void take(Recording& recording, double total, double level, double now) {
  const double raw[] = {total, level};
  REQUIRE(recording.take(raw, now));
}
}  // namespace

TEST_CASE("a recording has rates of totals, values of the others, and says what its columns are") {
  const Fd fd(::memfd_create("recording", 0));
  auto recording = std::make_unique<Recording>(kTwo, fd.get());
  REQUIRE(recording->begin());
  take(*recording, 1000, 0.5, 777.0);
  take(*recording, 1004, 0.25, 777.1);
  take(*recording, 1004, 0.25, 777.1);  // the same instant: no row
  take(*recording, 3, 0.125, 778.1);    // the counter was reset
  take(*recording, 8, 0.125, 779.1);
  REQUIRE(recording->flush());
  CHECK(recording->rows() == 3);
  const std::string text = all_of(fd);
  CHECK(recording->bytes() == text.size());
  CHECK(text ==
        "# name,kind,scale,sign,floor of the columns\n# forks,rate,10,1,0.15\n# available,fraction,1,-1,0.005\n"
        "t,forks,available,label,fault,phase\n# 777.000 s of CLOCK_MONOTONIC is t = "
        "0\n0.100,40,0.25,0,-,live\n1.100,0,0.125,0,-,live\n2.100,5,0.125,0,-,live\n");
}

TEST_CASE("what is recorded is what replay reads") {
  char schema[] = "/tmp/hosa-schema.XXXXXX";
  const Fd fd(::mkstemp(schema));
  REQUIRE(Recording::write_schema(kTwo, fd.get()));
  auto table = std::make_unique<ReplayTable>();
  REQUIRE(table->read(schema, "t,forks,available,label,fault,phase"));
  ::unlink(schema);
  REQUIRE(table->dimensions.size() == 2);
  CHECK(table->dimensions[0].cumulative);
  CHECK(table->dimensions[0].kind == detect::Kind::rate);
  CHECK(table->dimensions[0].scale == 10);
  CHECK(table->dimensions[1].sign == -1);
  CHECK(table->dimensions[1].floor == 0.005);
}

TEST_CASE("a full disk ends a recording with the reason") {
  const Fd full(::open("/dev/full", O_WRONLY));
  auto recording = std::make_unique<Recording>(kTwo, full.get());
  CHECK(recording->begin().error().code == ENOSPC);
}
