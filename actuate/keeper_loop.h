// What runs inside the keeper process: one poll loop. Everything it may need is open before the first limit.
#pragma once
#include "actuate/audit_file.h"
#include "actuate/keeper.h"

namespace hosa {

// Normal scheduling, nice 0: what a keeper starts with, and ends with what was lent it for a task.
void be_scheduled_like_anybody();

class KeeperLoop {
 public:
  KeeperLoop(Journal& journal, const KeeperSetup& setup, Fd agent, Fd socket)
      : journal_(journal), setup_(setup), agent_(std::move(agent)), socket_(std::move(socket)) {}
  // Until the agent is gone and everything is given back; answers the exit code.
  int run();

 private:
  bool wait();  // false: the agent has ended
  bool serve();
  UndoReport undo_at_once(bool keep_returned);
  void look_at_stamp();
  void give_back_for_good();
  KeeperAnswer carry_out(const KeeperRequest& request);
  Result<int> carry_out_in(const KeeperRequest& request, const Fd& cgroup, std::string_view path);
  Result<int> without_cgroup(const KeeperRequest& request, Error error);  // the request's cgroup could not be opened
  bool watching() const;
  Result<void> save();
  void wait_for_writer(int tenths);

  Journal& journal_;
  KeeperSetup setup_;
  Fd agent_, socket_;
  AuditFile audit_;
  pid_t writer_ = -1;  // a child that writes the saved file
};

}  // namespace hosa
