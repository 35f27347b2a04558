// The senses' part of `hosa selftest`: each is made to see something that this process does itself.
#pragma once

namespace hosa {

struct SensesTried {
  int failed = 0;
  bool fork_probe = false;  // without it births are counted twice a second, not seen one by one
};
// One line each. A sense that this machine does not have is told and is no failure.
SensesTried test_senses();

}  // namespace hosa
