#include "child.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "file_reader.h"

namespace emberscope {

namespace {

constexpr int kFirstDescriptor = 3;

struct Pipe {
    Fd read, write;

    bool Open() {
        std::array<int, 2> ends{};
        if (pipe2(ends.data(), O_CLOEXEC) != 0) return false;
        read = Fd(ends[0]);
        write = Fd(ends[1]);
        return true;
    }
};

class Plan {
  public:
    Plan() {
        posix_spawn_file_actions_init(&actions_);
        posix_spawnattr_init(&attributes_);
        sigset_t none, all;
        sigemptyset(&none);
        sigfillset(&all);
        posix_spawnattr_setsigmask(&attributes_, &none);
        posix_spawnattr_setsigdefault(&attributes_, &all);
        posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        posix_spawn_file_actions_addchdir_np(&actions_, "/");
        posix_spawn_file_actions_addopen(&actions_, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    ~Plan() {
        posix_spawn_file_actions_destroy(&actions_);
        posix_spawnattr_destroy(&attributes_);
    }
    Plan(const Plan &) = delete;
    Plan &operator=(const Plan &) = delete;

    // The rest of ours, some of which may not end with exec: those that were ours from the start.
    void CloseFrom(int fd) { posix_spawn_file_actions_addclosefrom_np(&actions_, fd); }
    void Give(int fd, int as) { posix_spawn_file_actions_adddup2(&actions_, fd, as); }

    int Run(pid_t *pid, const std::string &path, const std::vector<std::string> &arguments) const {
        std::vector<char *> words{const_cast<char *>(path.c_str())};
        for (const std::string &argument : arguments)
            words.push_back(const_cast<char *>(argument.c_str()));
        words.push_back(nullptr);
        char *environment = nullptr;
        return posix_spawn(pid, path.c_str(), &actions_, &attributes_, words.data(), &environment);
    }

  private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
};

} // namespace

Result<Child> StartChild(const std::string &path, const std::vector<std::string> &arguments,
                         std::span<const int> descriptors) {
    auto failed = [&](int error) { return Status::Error(Kind::io, "cannot start " + path, error); };
    Pipe input, output;
    if (!input.Open() || !output.Open()) return failed(errno);
    // Above all that they become, so that giving one never closes the next. They end with exec.
    int above = kFirstDescriptor + static_cast<int>(descriptors.size());
    std::vector<int> sources{input.read.get(), output.write.get()};
    sources.insert(sources.end(), descriptors.begin(), descriptors.end());
    std::vector<Fd> given(sources.size());
    Plan plan;
    for (size_t i = 0; i < sources.size(); i++) {
        given[i] = Fd(fcntl(sources[i], F_DUPFD_CLOEXEC, above));
        if (!given[i].valid()) return failed(errno);
        plan.Give(given[i].get(), i < 2 ? static_cast<int>(i) : kFirstDescriptor + static_cast<int>(i) - 2);
    }
    plan.CloseFrom(above);
    pid_t pid = 0;
    if (int error = plan.Run(&pid, path, arguments)) return failed(error);
    return Child{.pid = pid, .input = input.write.Release(), .output = output.read.Release()};
}

std::optional<int> ReapChild(pid_t pid) {
    int status = 0;
    pid_t reaped = waitpid(pid, &status, WNOHANG);
    if (reaped == 0) return std::nullopt;
    return reaped == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

} // namespace emberscope
