// BaselineStore: when and where what was learned is kept, and what is made of it at the next start.
//
//   start    the file is read and judged (baseline_file.h). All dimensions known: no warm-up. Some new: a warm-up of at
//            most a minute, then merged. Refused (damaged, of another machine): set aside as FILE.refused, learned
//            anew.
//   running  written at the end of the warm-up, then each hour, while nobody is held; 20 KB by the keeper's child.
//   end      once more, if a minute has passed since.
//
// Nothing in here is ever fatal: a place that cannot be written is told once. Places, first choice first: --baseline
// FILE; --state DIR/baseline; /var/lib/hosa/baseline; the run directory, where it outlives the agent but no reboot.
#pragma once
#include "actuate/keeper.h"
#include "tools/hosa/baseline_file.h"
#include "tools/hosa/options.h"

namespace hosa {

class BaselineStore {
 public:
  static constexpr double kEveryS = 3600, kShortWarmupS = 60;
  // A normal of fewer seconds is kept only where --baseline names the file: trials have warm-ups of some seconds.
  static constexpr double kLeastS = 60;

  // Before the keeper is started, who shares the pages. run_directory may be empty.
  void open(const Options& options, std::string_view run_directory);
  SavedPages* pages() const { return pages_; }

  // Reads what there is into the detector, which has just begun its warm-up, and the known sizes. Answers in one
  // sentence what came of it; empty: there was nothing.
  FixedString<256> recall(detect::Detector& detector, KnownSizes& sizes, const BoardIdentity& board, double warmup_s);
  // At every sensing. calm: nobody is held and the score is low. True: `told()` is news.
  bool step(detect::Detector& detector, const KnownSizes& sizes, Keeper& keeper, double now_s, bool calm);
  void at_end(const detect::Detector& detector, const KnownSizes& sizes, Keeper& keeper, double now_s);
  std::string_view told() const { return told_.view(); }
  std::string_view path() const { return path_.view(); }
  bool recalled() const { return recalled_; }

 private:
  bool try_place(std::string_view directory);
  Result<void> read(std::string_view path);
  bool merge(detect::Detector& detector);
  bool write(const detect::Detector& detector, const KnownSizes& sizes, Keeper& keeper);

  SavedPages* pages_ = nullptr;
  FixedString<240> path_, other_;  // other_: readable where path_ has nothing
  FixedString<256> told_;
  BoardIdentity board_;
  bool named_ = false, recalled_ = false, merging_ = false, failure_told_ = false;
  double written_s_ = -1, tried_s_ = -1e9, least_s_ = kLeastS;
  detect::Places place_{};
  SavedBaseline saved_;
  detect::Baseline fresh_, merged_;
};

}  // namespace hosa
