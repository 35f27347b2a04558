// Small files of the kernel (procfs, sysfs, cgroupfs, tracefs): open, read whole into the caller's buffer, write a
// value. No allocation, no FILE*. Directory descriptors come first (pass AT_FDCWD for absolute paths), so that what
// was judged is what is written (spec S5).
#pragma once
#include <fcntl.h>

#include <span>
#include <string_view>

#include "loader/sys/error.h"
#include "loader/sys/fd.h"

namespace hosa {

Result<Fd> open_file(int directory, const char* path, int flags = O_RDONLY);
Result<Fd> open_directory(int directory, const char* path);

// Reads from offset 0 until end of file or the buffer is full; the view points into buffer. A file longer than the
// buffer is cut (kernel tables are read with buffers that state their bound).
Result<std::string_view> read_at_start(int fd, std::span<char> buffer);
Result<std::string_view> read_file(int directory, const char* path, std::span<char> buffer);

// One write(2) of the whole value; a short write is an error. flags may add O_NONBLOCK (memory.high, findings 0.4).
Result<void> write_file(int directory, const char* path, std::string_view value, int flags = 0);

}  // namespace hosa
