"""A kernel filter that takes the network, other programs and other processes away from this process, for good.

Linux only, without privileges. `socketpair` stays: it reaches nobody else.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS = 38
PR_SET_SECCOMP = 22
SECCOMP_MODE_FILTER = 2
RET_KILL_PROCESS = 0x80000000
RET_ERRNO = 0x00050000
RET_ALLOW = 0x7FFF0000
LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
RETURN = 0x06  # BPF_RET | BPF_K
X32_SYSCALLS = 0x40000000
"""The x32 calls repeat every system call of x86-64 from this number on."""

DENIED = {
    "x86_64": (0xC000003E, 41, 59, 322, 101, 310, 311, 425),
    "aarch64": (0xC00000B7, 198, 221, 281, 117, 270, 271, 425),
}
"""By machine: its AUDIT_ARCH, then `socket execve execveat ptrace process_vm_readv process_vm_writev io_uring_setup`.

Numbers of Linux's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h.

`io_uring_setup` is among them because a ring opens sockets without calling `socket`.
"""


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def supported() -> bool:
    """Whether this kernel would take the filter. Changes nothing: a null filter is refused, with EFAULT."""
    if sys.platform != "linux" or platform.machine() not in DENIED:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, None, 0, 0)
    return ctypes.get_errno() == errno.EFAULT


def install() -> None:
    """Deny `DENIED` (EACCES) to this thread and all it starts. Raises OSError where the kernel refuses the filter."""
    architecture, *calls = DENIED[platform.machine()]
    code = _filter(architecture, calls)
    libc = ctypes.CDLL(None, use_errno=True)
    program = _Program(len(code) // 8, code)
    for arguments in (
        (PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
        (PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0),
    ):
        if libc.prctl(*arguments):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _filter(architecture: int, calls: list[int]) -> bytes:
    """The classic BPF program over `struct seccomp_data` (call number at offset 0, architecture at 4)."""
    instructions = [
        (LOAD_WORD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, RET_KILL_PROCESS),
        (LOAD_WORD, 0, 0, 0),
        *((JUMP_EQUAL, len(calls) - i + 1, 0, call) for i, call in enumerate(calls)),
        (JUMP_AT_LEAST, 1, 0, X32_SYSCALLS),
        (RETURN, 0, 0, RET_ALLOW),
        (RETURN, 0, 0, RET_ERRNO | errno.EACCES),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
