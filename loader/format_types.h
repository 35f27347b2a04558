// Types of tracepoints' contexts where the kernel has no BTF: a structure `trace_event_raw_NAME` that an object speaks
// of is made anew with the places and sizes that the event's format file states (tracefs.h), so that the same CO-RE
// rules as everywhere (core.h) find its members. What kind of thing a member is (number, pointer, array) is believed
// from the object: the format file spells C declarations out of headers that are not here. Pure.
//   ent        trace_entry, of the fields common_*
//   name       the field of that name
//   __data_loc_name, __rel_loc_name    the four bytes that say where `name` lies
//   nr         of system calls: the field id
#pragma once
#include "loader/btf.h"
#include "loader/tracefs.h"

namespace hosa {

// A BTF in the making: types behind each other, strings behind them.
class FormatTypes {
 public:
  // Adds the structure (of the object's BTF) as the format has it. Members that the format has not are left out.
  Result<void> add(const Btf& local, const BtfType& structure, const TraceFormat& format);
  bool empty() const { return count_ == 0; }
  // The whole, to be read by Btf::of_bytes; out must outlive what is read.
  bool finish(List<unsigned char>& out) const;

 private:
  Result<uint32_t> add_structure(const Btf& local, const BtfType& structure, const TraceFormat& format,
                                 std::string_view prefix, int depth);
  Result<uint32_t> add_member_type(const Btf& local, uint32_t id, const TraceField& field);
  uint32_t add_string(std::string_view text);  // 0 when memory is gone, as for the empty name
  bool put(std::initializer_list<uint32_t> words);

  List<unsigned char> types_, strings_;
  uint32_t count_ = 0;
};

// Whether a type of that name is a tracepoint's context, and of which event: its own ("group/name", from the
// program's section) unless it is the one that all system calls share. Empty when it is none.
std::string_view event_of_context(std::string_view type, std::string_view own);

}  // namespace hosa
