// Whether two types of different BTFs may stand for each other, in the three senses CO-RE has. Pure.
#pragma once
#include "loader/core_path.h"

namespace hosa {

// Same kind, for what was found by name: structures and unions are not mixed, both sizes of enumerations are.
bool same_kind(uint32_t a, uint32_t b);
// Names without flavours; two absent ones are the same.
bool same_names(const Btf& local, uint32_t a, const Btf& target, uint32_t b);

// Of a member that is accessed: any two structures or unions, pointers, numbers.
Fits compatible_fields(const Btf& local, uint32_t a, const Btf& target, uint32_t b);
// Of a type that is asked for ("exists", "size"): kinds along pointers, arrays, arguments.
Fits compatible_types(const Btf& local, uint32_t a, const Btf& target, uint32_t b);
// Of a type that must "match": names, members, arguments; what is behind a pointer by name only.
Fits matching_types(const Btf& local, uint32_t a, const Btf& target, uint32_t b);

}  // namespace hosa
