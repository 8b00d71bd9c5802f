/**
 * The words for "where": one meaning each, used everywhere, in C++ and BPF too.
 *
 * - process address: what the CPU saw. A user address is positive and below 2^53; a kernel address is the
 *   same 64 bits read as a signed integer, so it is negative. Both are exact in a double: no BigInt needed.
 * - file offset: position in the file a mapping shows; process address - mapping start + mapping offset.
 * - ELF address: what the file's own symbols use (p_vaddr space). Equal to the file offset only by accident.
 * - return address: where a caller goes on; lookup address: the call itself (return address - 1 on x86-64).
 *   Frames keep the lookup address, so a call at the very end of a function is never booked on its neighbour.
 * - pid is the thread group, tid the thread, on both sides of the kernel.
 * - executable: content (a build id); mapping: one place where a process shows it.
 */
export type ProcessAddress = number
