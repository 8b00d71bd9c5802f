// What the tracker knows. Its three parts: tracker.cc (scan, publish, forget), tracker_events.cc (the
// side-band), tracker_learn.cc (what samples ask).
#pragma once

#include <unordered_map>
#include <vector>

#include "track/file_table.h"
#include "track/process_images.h"
#include "track/publisher.h"
#include "track/tracker.h"

namespace emberscope {

struct Tracker::State {
    State(TableMemory &memory, TableStore &store, PageLoader &loader)
        : publisher(memory, store, loader), files(store, {}) {}

    void OnMmap(const ProcessEvent &event);
    void OnExec(const ProcessEvent &event);
    void OnFork(const ProcessEvent &event);
    void OnExit(const ProcessEvent &event);
    void Change(uint32_t pid, ProcessImages *process);
    std::shared_ptr<TrackedMappings> Read(uint32_t pid, uint32_t parent);
    Image *ReadUnknown(const ProcessIdentity &who, uint64_t time_ns);
    void ReadAgain(const ProcessIdentity &who, ProcessImages *process);
    void Publish(ProcessImages *process);
    void EndDead(uint64_t now_ns);
    bool ForgetOf(uint32_t pid, uint64_t time_ns);
    bool IsOver(uint32_t pid, ProcessImages *process, uint64_t time_ns);

    Publisher publisher;
    FileTable files;
    std::unordered_map<uint32_t, ProcessImages> processes;
    std::vector<uint32_t> changed;  // since the last Flush()
    std::vector<uint32_t> replaced; // whose table was: the old one is kept for a turn
    std::vector<uint32_t> aging; // of which something ended, and is to be forgotten once no sample needs it
    bool is_reconciling = false; // events were lost: some processes may have ended unseen
    TrackerStats stats;
};

} // namespace emberscope
