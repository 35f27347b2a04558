// The verbs of the command line. Each answers the exit code: 0 ok, 1 runtime, 2 usage, 3 configuration, 4 prerequisite.
#pragma once
#include "tools/hosa/options.h"

namespace hosa {

inline constexpr int kExitOk = 0, kExitRuntime = 1, kExitUsage = 2, kExitConfiguration = 3, kExitPrerequisite = 4;

int run_verb(const Options& options);       // run.cpp
int demo_verb(const Options& options);      // demo.cpp
int doctor_verb(const Options& options);    // doctor.cpp
int sense_verb(const Options& options);     // sense.cpp
int status_verb(const Options& options);    // status.cpp
int why_verb(const Options& options);       // why.cpp
int release_verb(const Options& options);   // release.cpp
int pause_verb(const Options& options);     // status.cpp
int resume_verb(const Options& options);    // status.cpp
int record_verb(const Options& options);    // record.cpp
int selftest_verb(const Options& options);  // selftest.cpp
int replay_verb(const Options& options);    // replay.cpp

// One line to standard output or standard error, in one write.
void say(std::string_view text);
void complain(std::string_view text);
int fail(const Error& error, int code);

}  // namespace hosa
