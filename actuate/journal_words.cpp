// Who is who, and the words that agent and keeper share.
#include "actuate/journal.h"

namespace hosa {

void Journal::set_agent(int pid, uint64_t start_ticks) {
  file_->header.agent_pid = pid;
  file_->header.agent_start_ticks = start_ticks;
  set_keeper(0);
  set_acting(false);
  set_watching(false);
  acknowledge_give_back();
}
int Journal::agent_pid() const {
  return file_->header.agent_pid;
}
uint64_t Journal::agent_start_ticks() const {
  return file_->header.agent_start_ticks;
}
void Journal::set_keeper(int pid) {
  __atomic_store_n(&file_->header.keeper_pid, pid, __ATOMIC_SEQ_CST);
}
int Journal::keeper_pid() const {
  return __atomic_load_n(&file_->header.keeper_pid, __ATOMIC_ACQUIRE);
}
void Journal::become_keeper() {
  keeper_side_ = true;
}

void Journal::stamp(uint64_t monotonic_ns) {
  __atomic_store_n(&file_->header.stamp_ns, monotonic_ns, __ATOMIC_RELEASE);
}
uint64_t Journal::stamp_ns() const {
  return __atomic_load_n(&file_->header.stamp_ns, __ATOMIC_ACQUIRE);
}
// acting and watching are a Dekker pair (keeper.h): each side stores its own word and then reads the other's.
void Journal::set_acting(bool acting) {
  __atomic_store_n(&file_->header.acting, acting ? 1U : 0U, __ATOMIC_SEQ_CST);
}
bool Journal::acting() const {
  return __atomic_load_n(&file_->header.acting, __ATOMIC_SEQ_CST) != 0;
}
void Journal::set_watching(bool on) {
  __atomic_store_n(&file_->header.watching, on ? 1U : 0U, __ATOMIC_SEQ_CST);
}
bool Journal::watching() const {
  return __atomic_load_n(&file_->header.watching, __ATOMIC_SEQ_CST) != 0;
}
void Journal::count_give_back() {
  __atomic_fetch_add(&file_->header.gave_back, 1, __ATOMIC_SEQ_CST);
}
bool Journal::gave_back() const {
  return __atomic_load_n(&file_->header.gave_back, __ATOMIC_ACQUIRE) !=
         __atomic_load_n(&file_->header.acknowledged, __ATOMIC_RELAXED);
}
void Journal::acknowledge_give_back() {
  const uint32_t count = __atomic_load_n(&file_->header.gave_back, __ATOMIC_ACQUIRE);
  __atomic_store_n(&file_->header.acknowledged, count, __ATOMIC_RELEASE);
}

}  // namespace hosa
