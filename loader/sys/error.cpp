#include "loader/sys/error.h"

namespace hosa {

ErrnoName errno_name(int code) {
  switch (code) {
    case 0: return {"invalid", "EINVAL"};
    case EPERM: return {"operation not permitted", "EPERM"};
    case ENOENT: return {"no such file or directory", "ENOENT"};
    case ESRCH: return {"no such process", "ESRCH"};
    case EINTR: return {"interrupted", "EINTR"};
    case EIO: return {"input/output error", "EIO"};
    case E2BIG: return {"argument too big", "E2BIG"};
    case EBADF: return {"bad file descriptor", "EBADF"};
    case EAGAIN: return {"try again", "EAGAIN"};
    case ENOMEM: return {"out of memory", "ENOMEM"};
    case EACCES: return {"permission denied", "EACCES"};
    case EBUSY: return {"busy", "EBUSY"};
    case EEXIST: return {"already exists", "EEXIST"};
    case ENODEV: return {"no such device", "ENODEV"};
    case ENOTDIR: return {"not a directory", "ENOTDIR"};
    case EINVAL: return {"invalid argument", "EINVAL"};
    case EMFILE: return {"too many open files", "EMFILE"};
    case ENOSPC: return {"no space left", "ENOSPC"};
    case EROFS: return {"read-only file system", "EROFS"};
    case ERANGE: return {"out of range", "ERANGE"};
    case ENOSYS: return {"not implemented by this kernel", "ENOSYS"};
    case EPROTO: return {"protocol error", "EPROTO"};
    case EOPNOTSUPP: return {"not supported", "EOPNOTSUPP"};
    case EADDRINUSE: return {"address in use", "EADDRINUSE"};
    case ECONNREFUSED: return {"connection refused", "ECONNREFUSED"};
    case ETIMEDOUT: return {"timed out", "ETIMEDOUT"};
    default: return {"error", nullptr};
  }
}

FixedString<256> Error::text() const {
  const ErrnoName known = errno_name(code);
  FixedString<256> out(step);
  if (!subject.empty()) out.append(" ").append(subject.view());
  if (code == 0) return out;
  out.append(": ").append(known.message).append(" (");
  if (known.name != nullptr)
    out.append(known.name);
  else
    out.append("errno ").append_number(code);
  out.append(")");
  return out;
}

Error make_error(int code, const char* step, std::string_view subject) {
  return Error{code, step, FixedString<120>(subject)};
}

Error errno_error(const char* step, std::string_view subject) {
  return make_error(errno, step, subject);
}

}  // namespace hosa
