// inflate_gzip: the content of a gzip file (RFC 1952, RFC 1951) that lies in memory, handed on in pieces of up to 32
// KB. Made for /proc/config.gz, which is all there is of the kernel's configuration on many boards. Checksums are not
// looked at: whoever asks wants words, not an archive.
#pragma once
#include <cstdint>

#include "loader/bytes.h"
#include "loader/sys/error.h"

namespace hosa {

// take(context, piece) is called for each piece in order.
using TakePiece = void (*)(void* context, Bytes piece);
Result<void> inflate_gzip(Bytes file, TakePiece take, void* context);

}  // namespace hosa
