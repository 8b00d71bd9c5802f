#include "tables/idle_thread.h"

#include <csignal>
#include <cstdint>
#include <poll.h>
#include <sched.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace emberscope {

namespace {

// For ioprio_set(), which has no header.
constexpr int kOneThread = 1, kNoClass = 0, kIdleClass = 3 << 13;

void SetPolicy(pid_t thread, int policy, int disk_class) {
    sched_param parameters{};
    sched_setscheduler(thread, policy, &parameters);
    syscall(SYS_ioprio_set, kOneThread, thread, disk_class);
}

} // namespace

Bell::Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

void Bell::Ring() {
    uint64_t one = 1;
    (void)!write(fd_.get(), &one, sizeof one);
}

bool Bell::Wait(int milliseconds) {
    pollfd waited{fd_.get(), POLLIN, 0};
    poll(&waited, 1, milliseconds);
    uint64_t count = 0;
    return read(fd_.get(), &count, sizeof count) == sizeof count;
}

bool IdleThread::Start(const char *name, std::function<void()> body) {
    auto shared = std::make_shared<Shared>();
    shared->name = name;
    shared->body = std::move(body);
    auto *argument = new std::shared_ptr<Shared>(shared);
    // Signals are for the threads that expect them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(&thread_, nullptr, Main, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (is_started) shared_ = std::move(shared);
    else delete argument;
    return is_started;
}

void *IdleThread::Main(void *argument) {
    std::unique_ptr<std::shared_ptr<Shared>> owned(static_cast<std::shared_ptr<Shared> *>(argument));
    Shared &shared = **owned;
    pthread_setname_np(pthread_self(), shared.name);
    SetPolicy(0, SCHED_IDLE, kIdleClass);
    shared.id.store(static_cast<pid_t>(syscall(SYS_gettid)));
    shared.body();
    shared.body = nullptr; // what it owns may own us
    shared.ended.Ring();
    return nullptr;
}

void IdleThread::Hurry() {
    pid_t thread = shared_ ? shared_->id.load() : 0;
    if (thread != 0) SetPolicy(thread, SCHED_OTHER, kNoClass);
}

void IdleThread::Join(int milliseconds) {
    if (!shared_) return;
    if (shared_->ended.Wait(milliseconds)) pthread_join(thread_, nullptr);
    else pthread_detach(thread_);
    shared_.reset();
}

} // namespace emberscope
