"""What the operating system refused, in one sentence with the next step."""

import errno
import shutil

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NEXT_STEPS = {
    errno.EACCES: "Grant yourself the permission, or use another folder.",
    errno.EPERM: "Grant yourself the permission, or use another folder.",
    errno.EROFS: "It is on a disk that cannot be written to. Use a folder on another disk.",
    errno.ENOENT: "Restore it, or name another one.",
    errno.ENOTDIR: "A file is where a folder must be. Move it away.",
    errno.EISDIR: "A folder is where a file must be. Move it away.",
    errno.EEXIST: "Move it away.",
    errno.ELOOP: "Its symbolic links point at each other. Remove one.",
    errno.ENAMETOOLONG: "Use a shorter path.",
    errno.EMFILE: "This process may not open more files. Raise the limit with `ulimit -n`.",
    errno.ENFILE: "This machine may not open more files. End other programs.",
    errno.ENOMEM: "This machine has no free memory. End other programs.",
    errno.EAGAIN: "This machine may not start more processes. End other programs, or raise `ulimit -u`.",
}


def describe(error: OSError) -> str:
    """``error`` as a sentence: the file, the reason, the next step."""
    if isinstance(error, shutil.Error):
        return _describe_copies(error)
    path = error.filename2 or error.filename
    reason = error.strerror or str(error) or type(error).__name__
    if error.errno in _FULL:
        where = f"the disk that holds {path}" if path else "the disk"
        return f"{where} is full ({reason}). Free some space, then run the command again."
    if error.errno == errno.ENOENT and path is None and "temporary directory" in reason:
        return "no folder for temporary files can be written to. Set TMPDIR to one, or free some space."
    subject = f"{path}: {reason}" if path else f"the operating system reports: {reason}"
    next_step = _NEXT_STEPS.get(error.errno or 0, "`serinus --debug …` prints where this happened.")
    return f"{subject}. {next_step}"


def _describe_copies(error: shutil.Error) -> str:
    """Of several files that could not be copied, the first."""
    failed = error.args[0]
    if not isinstance(failed, list):
        return f"{failed}. `serinus --debug …` prints where this happened."
    source, target, reason = failed[0]
    more = f" and {len(failed) - 1} more files" if len(failed) > 1 else ""
    return f"{source}{more} could not be copied to {target} ({reason}). Free some space, or grant yourself access."
