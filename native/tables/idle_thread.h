// A thread that gives way to everything else, for the processor and for the disk, and the bell that wakes it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <pthread.h>
#include <sys/types.h>

#include "file_reader.h"

namespace emberscope {

// Rings once for any number of calls, also for one that came before anybody waited.
class Bell {
  public:
    Bell();
    void Ring();
    // False when it did not ring within the time; negative: no limit.
    bool Wait(int milliseconds);

  private:
    Fd fd_; // an eventfd
};

class IdleThread {
  public:
    // False: there is no thread. `name`: at most 15 characters.
    bool Start(const char *name, std::function<void()> body);
    // Normal priority for the rest of it. Only before it is told to end.
    void Hurry();
    // Waits for the end of the body; a thread that does not come to it is left behind, so the body must own
    // what it uses.
    void Join(int milliseconds);

  private:
    struct Shared {
        const char *name;
        std::function<void()> body;
        std::atomic<pid_t> id{0};
        Bell ended;
    };
    static void *Main(void *argument);

    std::shared_ptr<Shared> shared_;
    pthread_t thread_{};
};

} // namespace emberscope
