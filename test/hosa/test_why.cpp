#include <string>

#include "test/catch.h"
#include "tools/hosa/json.h"
#include "tools/hosa/json_read.h"
#include "tools/hosa/why_sentences.h"

using namespace hosa;

namespace {
constexpr std::string_view kCulprit =
    R"({"t":100.5,"time":1790000000,"event":"culprit","level":2,"action":"name","target":"/a.service","old":"","new":"",)"
    R"("result":"named","culprit":{"cgroup":"/a.service","pid":812,"unit":77,"resource":"memory","share":0.98,)"
    R"("runner_up":0.01},"stage":"insured","means":"none","bytes":5e+07,"room":671088640,"cause":"tripwire",)"
    R"("growth":20971520,"growth_per_s":52428800,"d":29.7,"dbar":20,"slope":3,"warming":false,"score_level":1,)"
    R"("thresholds":[14.8,22.2],"available":7e+08,"horizon":null,"x":{"memory_allocated":52428800,"forks":0.2},)"
    R"("c":{"memory_allocated":540,"forks":30},"calm":{"memory_allocated":[0,1258291],"forks":[1.5e-07,2]}})";
constexpr std::string_view kAct =
    R"({"time":1790000008,"event":"act","level":3,"action":"bucket","target":"/a.service","culprit":{"cgroup":)"
    R"("/a.service","pid":812,"unit":77,"resource":"memory","share":0.98},"stage":"bucket","means":"hold room"})";
}  // namespace

TEST_CASE("why says which dimension, who carries it, and what would have happened") {
  REQUIRE(is_reason(kCulprit));
  REQUIRE(is_outcome(kAct, kCulprit));
  const WhySentences said = why_sentences(kCulprit, kAct, 1790000090);
  CHECK(said.what.view() ==
        "90 s ago a tripwire in the kernel was crossed; memory_allocated (anonymous memory handed out, gross) stood at "
        "50 MB/s, "
        "calm is 0 MB/s to 1.2 MB/s, and made up 61 % of the distance 29.7 from normal.");
  CHECK(said.who.view() ==
        "/a.service (process 812) carries it with 98 % of the growth of memory (the next: 1 %); held by hold room.");
  CHECK(said.otherwise.view() == "Left alone, at 50 MB/s it would have used up the room of 640 MB in 12.8 s.");
}

TEST_CASE("why shows the dimension of what the culprit was named for, though another one leads") {
  std::string line(kCulprit);
  line.replace(line.find("\"c\":{"), 5, "\"c\":{\"forks\":600,");
  CHECK(why_sentences(line, "", 1790000090).what.view().find("; memory_allocated") != std::string_view::npos);
  line.replace(line.find("\"memory\""), 8, "\"cpu\"");
  CHECK(why_sentences(line, "", 1790000090).what.view().find("; forks") != std::string_view::npos);
}

TEST_CASE("why names the channel that raised the level, where it was not the distance") {
  constexpr std::string_view kLevel =
      R"({"time":1790000000,"event":"level","level":1,"before":0,"channel":"CHANNEL","d":9,"warming":false,"x":{},"c":{}})";
  const auto said = [&](std::string_view channel) {
    std::string line(kLevel);
    line.replace(line.find("CHANNEL"), 7, channel);
    return std::string(why_sentences(line, "", 1790000000).what.view());
  };
  CHECK(said("lasting").find("one dimension stayed unusual for a second") != std::string::npos);
  CHECK(said("drift").find("what is normal had crept away") != std::string::npos);
  CHECK(said("share").find("the largest user of a resource") != std::string::npos);
  CHECK(said("distance").find("the score rose above its threshold") != std::string::npos);
}

TEST_CASE("why says so when nobody was named, and what watching alone came to") {
  constexpr std::string_view kNobody =
      R"({"time":1790000000,"event":"nobody","level":1,"resource":"memory","share":0.31,"runner_up":0.3,"d":0,)"
      R"("warming":true,"horizon":25.4,"x":{},"c":{}})";
  REQUIRE(is_reason(kNobody));
  const WhySentences said = why_sentences(kNobody, "", 1790000600);
  CHECK(said.what.view() == "10 min ago the score rose above its threshold; what is normal was still being learned.");
  CHECK(said.who.view() ==
        "Nobody explains more than half of the growth of memory (the largest share is 31 %), so nobody is held.");
  CHECK(said.otherwise.view() == "At that rate memory would have ended in 25.4 s.");
  CHECK_FALSE(is_outcome(kAct, kNobody));
  const WhySentences shadow = why_sentences(kCulprit, R"({"event":"insured","shadow":true,"action":"watch"})", 0);
  CHECK(shadow.who.view().find("; only watched: insured") != std::string_view::npos);
}

TEST_CASE("a score that rose on its own is a story only until somebody is named") {
  CHECK(is_reason(R"({"event":"level","level":1,"before":0})"));
  CHECK_FALSE(is_reason(R"({"event":"level","level":2,"before":0})"));
  CHECK_FALSE(is_reason(R"({"event":"level","level":1,"before":2})"));
  CHECK_FALSE(is_outcome(kAct, R"({"event":"culprit","culprit":{"unit":78,"resource":"memory"}})"));
}

TEST_CASE("no prefix and no changed byte of an audit line harms the sentences") {
  for (std::size_t size = 0; size <= kCulprit.size(); ++size) {
    const std::string_view line(kCulprit.data(), size);
    (void)is_reason(line);
    (void)why_sentences(line, line, 1);
    for (const char c : {'"', '{', ']', '\\', '9', '\0'}) {
      std::string changed(kCulprit);
      if (size < changed.size()) changed[size] = c;
      (void)why_sentences(changed, changed, 1e300);
    }
  }
  (void)why_sentences(R"({"event":"culprit","time":1e300,"d":1e-300,"growth_per_s":1e300,"room":1e-300})", "", -1);
}

TEST_CASE("numbers are read with their exponent") {
  CHECK(json_number(R"({"a":1.5e-07})", "a", 0) == Approx(1.5e-7));
  CHECK(json_number(R"({"a":-2.25e+16,"b":3})", "a", 0) == Approx(-2.25e16));
  CHECK(json_number(R"({"a":null})", "a", 7) == 7);
  CHECK(json_number(R"({"a":1e999999999999})", "a", 7) == 1);
}

TEST_CASE("a line within a line stays JSON, and what is none is left out") {
  JsonLine line;
  line.object("reason", "{\"a\":1}\n").integer("b", 2);
  CHECK(line.finish() == "{\"reason\":{\"a\":1},\"b\":2}\n");
  JsonLine bad;
  bad.object("reason", "rm -rf").object("c", "");
  CHECK(bad.finish() == "{\"cut\":true}\n");
}
