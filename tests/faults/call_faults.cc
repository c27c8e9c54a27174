// SPDX-License-Identifier: Apache-2.0
// Runs a program and lets one of its system calls fail, through ptrace, so that
// calls inside of libraries are seen too:
//
//   call_faults [OPTION]... -- PROGRAM [ARGUMENT]...
//     --log FILE             writes each call: INDEX NAME NTH WHAT, which is a
//                            path or "fd N r|w PATH"
//     --fail NAME:NTH:ERROR  the NTH call of this name fails once
//     --fail-from INDEX:NAME[,NAME]...:ERROR   from a call on all of these fail
//     --short NAME:NTH       this read or write is asked for a part only
//     --kill INDEX           SIGKILL in front of this call
//     --seconds N            kills the program after this time (60)
//     --report FILE          writes "exit N", "signal N" or "timeout", "calls
//     N",
//                            "faults N", and WHAT of the last fault, each in a
//                            line
//     --probe                only says whether all of this is allowed here
//
// Calls are counted from 1, over all threads, from the entry point of the
// program on, for what the loader does before is not the program's. An openat
// that may create a file is called `create`, an mmap of a file `mmap_file`.
// ERROR is a number of errno. A call of close is carried out before it fails,
// as Linux does. Exit status: 0 the report says it all, 125 tracing is refused.
#include <elf.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kExitRefused = 125;

// What the second register holds, or the first.
enum class Argument { kNone, kDescriptor, kPath, kPathAt };

struct CallName {
  long number;
  const char* name;
  Argument argument;
};

constexpr CallName kCalls[] = {
    {SYS_read, "read", Argument::kDescriptor},
    {SYS_pread64, "pread", Argument::kDescriptor},
    {SYS_readv, "readv", Argument::kDescriptor},
    {SYS_write, "write", Argument::kDescriptor},
    {SYS_pwrite64, "pwrite", Argument::kDescriptor},
    {SYS_writev, "writev", Argument::kDescriptor},
    {SYS_open, "open", Argument::kPath},
    {SYS_openat, "openat", Argument::kPathAt},
    {SYS_close, "close", Argument::kDescriptor},
    {SYS_mmap, "mmap", Argument::kNone},
    {SYS_munmap, "munmap", Argument::kNone},
    {SYS_mremap, "mremap", Argument::kNone},
    {SYS_mprotect, "mprotect", Argument::kNone},
    {SYS_madvise, "madvise", Argument::kNone},
    {SYS_brk, "brk", Argument::kNone},
    {SYS_fsync, "fsync", Argument::kDescriptor},
    {SYS_fdatasync, "fdatasync", Argument::kDescriptor},
    {SYS_syncfs, "syncfs", Argument::kDescriptor},
    {SYS_fallocate, "fallocate", Argument::kDescriptor},
    {SYS_ftruncate, "ftruncate", Argument::kDescriptor},
    {SYS_fchmod, "fchmod", Argument::kDescriptor},
    {SYS_chmod, "chmod", Argument::kPath},
    {SYS_fchmodat, "fchmodat", Argument::kPathAt},
    {SYS_fchown, "fchown", Argument::kDescriptor},
    {SYS_utimensat, "utimensat", Argument::kDescriptor},
    {SYS_rename, "rename", Argument::kPath},
    {SYS_renameat, "renameat", Argument::kPathAt},
    {SYS_renameat2, "renameat2", Argument::kPathAt},
    {SYS_link, "link", Argument::kPath},
    {SYS_linkat, "linkat", Argument::kPathAt},
    {SYS_unlink, "unlink", Argument::kPath},
    {SYS_unlinkat, "unlinkat", Argument::kPathAt},
    {SYS_mkdir, "mkdir", Argument::kPath},
    {SYS_mkdirat, "mkdirat", Argument::kPathAt},
    {SYS_rmdir, "rmdir", Argument::kPath},
    {SYS_symlink, "symlink", Argument::kPath},
    {SYS_lseek, "lseek", Argument::kDescriptor},
    {SYS_fstat, "fstat", Argument::kDescriptor},
    {SYS_stat, "stat", Argument::kPath},
    {SYS_lstat, "lstat", Argument::kPath},
    {SYS_newfstatat, "newfstatat", Argument::kPathAt},
    {SYS_statx, "statx", Argument::kPathAt},
    {SYS_statfs, "statfs", Argument::kPath},
    {SYS_fstatfs, "fstatfs", Argument::kDescriptor},
    {SYS_access, "access", Argument::kPath},
    {SYS_faccessat, "faccessat", Argument::kPathAt},
    {SYS_faccessat2, "faccessat2", Argument::kPathAt},
    {SYS_readlink, "readlink", Argument::kPath},
    {SYS_readlinkat, "readlinkat", Argument::kPathAt},
    {SYS_getcwd, "getcwd", Argument::kNone},
    {SYS_getdents64, "getdents64", Argument::kDescriptor},
    {SYS_flock, "flock", Argument::kDescriptor},
    {SYS_fcntl, "fcntl", Argument::kDescriptor},
    {SYS_ioctl, "ioctl", Argument::kDescriptor},
    {SYS_dup, "dup", Argument::kDescriptor},
    {SYS_dup3, "dup3", Argument::kDescriptor},
    {SYS_pipe2, "pipe2", Argument::kNone},
    {SYS_eventfd2, "eventfd2", Argument::kNone},
    {SYS_copy_file_range, "copy_file_range", Argument::kDescriptor},
    {SYS_sendfile, "sendfile", Argument::kDescriptor},
    {SYS_poll, "poll", Argument::kNone},
    {SYS_ppoll, "ppoll", Argument::kNone},
    {SYS_clone, "clone", Argument::kNone},
    {SYS_clone3, "clone3", Argument::kNone},
    {SYS_getrandom, "getrandom", Argument::kNone},
    {SYS_sched_getaffinity, "sched_getaffinity", Argument::kNone},
    {SYS_sysinfo, "sysinfo", Argument::kNone},
    {SYS_prlimit64, "prlimit64", Argument::kNone},
    {SYS_rt_sigaction, "rt_sigaction", Argument::kNone},
    {SYS_rt_sigprocmask, "rt_sigprocmask", Argument::kNone},
    {SYS_timer_create, "timer_create", Argument::kNone},
    {SYS_setitimer, "setitimer", Argument::kNone},
    {SYS_clock_nanosleep, "clock_nanosleep", Argument::kNone},
    {SYS_uname, "uname", Argument::kNone},
    {SYS_socket, "socket", Argument::kNone},
    {SYS_socketpair, "socketpair", Argument::kNone},
    {SYS_connect, "connect", Argument::kDescriptor},
    {SYS_bind, "bind", Argument::kDescriptor},
    {SYS_sendto, "sendto", Argument::kDescriptor},
    {SYS_recvfrom, "recvfrom", Argument::kDescriptor},
    {SYS_sendmsg, "sendmsg", Argument::kDescriptor},
    {SYS_recvmsg, "recvmsg", Argument::kDescriptor},
    {SYS_getsockname, "getsockname", Argument::kDescriptor},
    {SYS_getpeername, "getpeername", Argument::kDescriptor},
    {SYS_getsockopt, "getsockopt", Argument::kDescriptor},
    {SYS_setsockopt, "setsockopt", Argument::kDescriptor},
};

struct Plan {
  std::string log_path, report_path;
  std::string fail_name, short_name;
  std::set<std::string> fail_from_names;
  long fail_nth = 0, short_nth = 0, fail_from = 0, kill_index = 0;
  int error = 0;
  unsigned seconds = 60;
  bool probe = false;
  char** program = nullptr;
};

[[noreturn]] void Refuse(const char* what) {
  std::fprintf(stderr, "call_faults: %s: %s\n", what, std::strerror(errno));
  std::exit(kExitRefused);
}

std::vector<std::string> Split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, mark);) {
    parts.push_back(part);
  }
  return parts;
}

Plan ParsePlan(int argc, char** argv) {
  Plan plan;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--") {
      plan.program = argv + i + 1;
      break;
    }
    if (option == "--probe") {
      plan.probe = true;
      continue;
    }
    const std::string value = ++i < argc ? argv[i] : "";
    const std::vector<std::string> parts = Split(value, ':');
    if (option == "--log") {
      plan.log_path = value;
    } else if (option == "--report") {
      plan.report_path = value;
    } else if (option == "--seconds") {
      plan.seconds = static_cast<unsigned>(std::stoul(value));
    } else if (option == "--kill") {
      plan.kill_index = std::stol(value);
    } else if (option == "--fail" && parts.size() == 3) {
      plan.fail_name = parts[0];
      plan.fail_nth = std::stol(parts[1]);
      plan.error = std::stoi(parts[2]);
    } else if (option == "--fail-from" && parts.size() == 3) {
      plan.fail_from = std::stol(parts[0]);
      for (const std::string& name : Split(parts[1], ',')) {
        plan.fail_from_names.insert(name);
      }
      plan.error = std::stoi(parts[2]);
    } else if (option == "--short" && parts.size() == 2) {
      plan.short_name = parts[0];
      plan.short_nth = std::stol(parts[1]);
    } else {
      std::fprintf(stderr, "call_faults: what is %s?\n", option.c_str());
      std::exit(1);
    }
  }
  static char true_program[] = "true";
  static char* true_arguments[] = {true_program, nullptr};
  if (plan.probe) plan.program = true_arguments;
  if (plan.program == nullptr || plan.program[0] == nullptr) {
    std::fprintf(stderr, "call_faults: no program\n");
    std::exit(1);
  }
  return plan;
}

// Only the calls of the table stop: a run has many more of other ones.
bool InstallFilter() {
  std::vector<sock_filter> code;
  code.push_back(
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)));
  code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  code.push_back(
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
  for (const CallName& call : kCalls) {
    code.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
                            static_cast<unsigned>(call.number), 0, 1));
    code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
  }
  code.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program = {static_cast<unsigned short>(code.size()),
                              code.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

[[noreturn]] void BecomeProgram(char** program) {
  if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) {
    std::perror("call_faults: ptrace");
    ::_exit(kExitRefused);
  }
  ::raise(SIGSTOP);
  if (!InstallFilter()) {
    std::perror("call_faults: seccomp");
    ::_exit(kExitRefused);
  }
  ::execvp(program[0], program);
  std::perror(program[0]);
  ::_exit(kExitRefused);
}

volatile sig_atomic_t child_to_kill = 0;
volatile sig_atomic_t is_timeout = 0;

void KillChild(int) {
  is_timeout = 1;
  ::kill(child_to_kill, SIGKILL);
}

class Tracer {
 public:
  explicit Tracer(const Plan& plan) : plan_(plan) {
    for (const CallName& call : kCalls) calls_[call.number] = &call;
    if (!plan.log_path.empty()) log_.open(plan.log_path);
  }

  int Run() {
    child_ = ::fork();
    if (child_ < 0) Refuse("fork");
    if (child_ == 0) BecomeProgram(plan_.program);
    child_to_kill = child_;
    int status = 0;
    if (::waitpid(child_, &status, 0) != child_ || !WIFSTOPPED(status)) {
      errno = EPERM;
      Refuse("ptrace");
    }
    constexpr long kOptions = PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE |
                              PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD |
                              PTRACE_O_EXITKILL;
    if (::ptrace(PTRACE_SETOPTIONS, child_, nullptr, kOptions) != 0) {
      Refuse("ptrace");
    }
    known_.insert(child_);
    struct sigaction action = {};
    action.sa_handler = KillChild;
    ::sigaction(SIGALRM, &action, nullptr);
    ::alarm(plan_.seconds);
    Continue(child_, 0);
    return Report(Follow());
  }

 private:
  void Continue(pid_t thread, int signal_number) {
    ::ptrace(PTRACE_CONT, thread, nullptr, signal_number);
  }

  // The status of the program when it has ended.
  int Follow() {
    for (;;) {
      int status = 0;
      const pid_t thread = ::waitpid(-1, &status, __WALL);
      if (thread < 0) {
        if (errno == EINTR) continue;
        Refuse("wait");
      }
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        if (thread == child_) return status;
        known_.erase(thread);
        continue;
      }
      HandleStop(thread, status);
    }
  }

  void HandleStop(pid_t thread, int status) {
    const int signal_number = WSTOPSIG(status);
    const int event = status >> 16;
    if (event == PTRACE_EVENT_SECCOMP) return HandleCall(thread);
    if (event == PTRACE_EVENT_EXEC) SetBreakpoint();
    if (event != 0) return Continue(thread, 0);
    if (signal_number == (SIGTRAP | 0x80)) return HandleCallEnd(thread);
    // A new thread stops once.
    if (known_.insert(thread).second && signal_number == SIGSTOP) {
      return Continue(thread, 0);
    }
    if (signal_number == SIGTRAP && IsAtBreakpoint(thread)) {
      return Continue(thread, 0);
    }
    Continue(thread, signal_number);
  }

  // At the entry point, where the loader has done its work.
  void SetBreakpoint() {
    const std::string path = "/proc/" + std::to_string(child_) + "/auxv";
    std::ifstream file(path, std::ios::binary);
    Elf64_auxv_t entry;
    while (file.read(reinterpret_cast<char*>(&entry), sizeof(entry))) {
      if (entry.a_type == AT_ENTRY) entry_ = entry.a_un.a_val;
    }
    errno = 0;
    entry_code_ = ::ptrace(PTRACE_PEEKTEXT, child_, entry_, nullptr);
    if (entry_ == 0 || errno != 0 ||
        ::ptrace(PTRACE_POKETEXT, child_, entry_,
                 (entry_code_ & ~0xffL) | 0xcc) != 0) {
      Refuse("breakpoint");
    }
  }

  bool IsAtBreakpoint(pid_t thread) {
    user_regs_struct registers;
    if (is_counting_ ||
        ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) != 0 ||
        registers.rip != entry_ + 1) {
      return false;
    }
    ::ptrace(PTRACE_POKETEXT, child_, entry_, entry_code_);
    registers.rip = entry_;
    ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
    is_counting_ = true;
    return true;
  }

  std::string TextAt(unsigned long long address) const {
    char text[256] = {};
    // Not across a page, which may be the last one.
    const size_t size =
        std::min<size_t>(sizeof(text) - 1, 4096 - address % 4096);
    const iovec here = {text, size};
    const iovec there = {reinterpret_cast<void*>(address), size};
    ::process_vm_readv(child_, &here, 1, &there, 1, 0);
    return text;
  }

  std::string Describe(const CallName& call,
                       const user_regs_struct& registers) const {
    switch (call.argument) {
      case Argument::kPath:
        return TextAt(registers.rdi);
      case Argument::kPathAt: {
        const std::string path = TextAt(registers.rsi);
        if (!path.empty()) return path;
        [[fallthrough]];
      }
      case Argument::kDescriptor: {
        const std::string fd = std::to_string(static_cast<int>(registers.rdi));
        const std::string link =
            "/proc/" + std::to_string(child_) + "/fd/" + fd;
        char target[256];
        const ssize_t size =
            ::readlink(link.c_str(), target, sizeof(target) - 1);
        // The mode of the link is that of the descriptor.
        struct stat info;
        const bool is_written =
            ::lstat(link.c_str(), &info) == 0 && (info.st_mode & S_IWUSR) != 0;
        return "fd " + fd + (is_written ? " w " : " r ") +
               std::string(target, size > 0 ? static_cast<size_t>(size) : 0);
      }
      case Argument::kNone:
        return registers.orig_rax == SYS_mmap
                   ? std::to_string(registers.rsi) + " bytes"
                   : "";
    }
    return "";
  }

  static std::string NameOf(const CallName& call,
                            const user_regs_struct& registers) {
    if (call.number == SYS_openat && (registers.rdx & O_CREAT) != 0) {
      return "create";
    }
    if (call.number == SYS_mmap && (registers.r10 & MAP_ANONYMOUS) == 0) {
      return "mmap_file";
    }
    return call.name;
  }

  void HandleCall(pid_t thread) {
    if (!is_counting_) return Continue(thread, 0);
    user_regs_struct registers;
    if (::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) != 0) {
      return Continue(thread, 0);
    }
    const CallName& call = *calls_.at(static_cast<long>(registers.orig_rax));
    const std::string name = NameOf(call, registers);
    const long nth = ++counts_[name];
    ++num_calls_;
    if (log_.is_open()) {
      log_ << num_calls_ << " " << name << " " << nth << " "
           << Describe(call, registers) << "\n";
    }
    if (num_calls_ == plan_.kill_index) {
      ++num_faults_;
      ::kill(child_, SIGKILL);
      return;
    }
    if (name == plan_.short_name && nth == plan_.short_nth &&
        registers.rdx > 1) {
      ++num_faults_;
      fault_ = Describe(call, registers);
      ends_[thread] = {registers, 0};
      registers.rdx = (registers.rdx + 1) / 2;
      ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      ::ptrace(PTRACE_SYSCALL, thread, nullptr, 0);
      return;
    }
    const bool fails_once = name == plan_.fail_name && nth == plan_.fail_nth;
    const bool fails_always = plan_.fail_from != 0 &&
                              num_calls_ >= plan_.fail_from &&
                              plan_.fail_from_names.count(name) != 0;
    if (!fails_once && !fails_always) return Continue(thread, 0);
    ++num_faults_;
    fault_ = Describe(call, registers);
    if (call.number == SYS_close) {
      // It is closed nevertheless.
      ends_[thread] = {registers, plan_.error};
      ::ptrace(PTRACE_SYSCALL, thread, nullptr, 0);
      return;
    }
    if (call.number == SYS_brk) {
      // No error number: the end of the data stays where it is.
      ends_[thread] = {registers, 0};
      registers.rdi = 0;
      ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      ::ptrace(PTRACE_SYSCALL, thread, nullptr, 0);
      return;
    }
    registers.orig_rax = ~0ULL;  // no call
    registers.rax = static_cast<unsigned long long>(-plan_.error);
    ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
    Continue(thread, 0);
  }

  // Gives the arguments back, which callers expect unchanged.
  void HandleCallEnd(pid_t thread) {
    const auto end = ends_.find(thread);
    user_regs_struct registers;
    if (end != ends_.end() &&
        ::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) == 0) {
      registers.rdi = end->second.registers.rdi;
      registers.rdx = end->second.registers.rdx;
      if (end->second.error != 0) {
        registers.rax = static_cast<unsigned long long>(-end->second.error);
      }
      ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
      ends_.erase(end);
    }
    Continue(thread, 0);
  }

  int Report(int status) {
    if (!is_counting_) {
      errno = EPERM;
      Refuse("the program did not start");
    }
    if (plan_.report_path.empty()) return 0;
    std::ofstream report(plan_.report_path);
    if (is_timeout != 0) {
      report << "timeout\n";
    } else if (WIFSIGNALED(status)) {
      report << "signal " << WTERMSIG(status) << "\n";
    } else {
      report << "exit " << WEXITSTATUS(status) << "\n";
    }
    report << "calls " << num_calls_ << "\nfaults " << num_faults_ << "\n"
           << fault_ << "\n";
    return report.flush() ? 0 : 1;
  }

  struct CallEnd {
    user_regs_struct registers;
    int error;
  };

  const Plan& plan_;
  pid_t child_ = -1;
  std::map<long, const CallName*> calls_;
  std::map<std::string, long> counts_;
  std::map<pid_t, CallEnd> ends_;
  std::set<pid_t> known_;
  std::ofstream log_;
  unsigned long long entry_ = 0;
  long entry_code_ = 0;
  bool is_counting_ = false;
  long num_calls_ = 0, num_faults_ = 0;
  std::string fault_;
};

}  // namespace

int main(int argc, char** argv) {
  const Plan plan = ParsePlan(argc, argv);
  return Tracer(plan).Run();
}
