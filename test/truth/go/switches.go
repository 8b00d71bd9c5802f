// Stacks of several parts: Go that calls C that burns, C that calls back into Go, and Go that burns on the system
// stack of its thread (sorting, copying and clearing are left to the runtime's own assembly). Usage: switches [seconds];
// prints one JSON object, nanoseconds of CPU by function.
package main

/*
#include <stdint.h>

__attribute__((noinline)) static uint64_t burn_c(uint64_t n) {
    uint64_t sum = 0;
    for (; n != 0; n--) __asm__ volatile("" : "+r"(sum));
    return sum + 1;
}

__attribute__((noinline)) static uint64_t call_c(uint64_t n) { return burn_c(n) + 1; }

extern uint64_t burnInCallback(uint64_t n);

__attribute__((noinline)) static uint64_t call_back(uint64_t n) { return burnInCallback(n) + 1; }
*/
import "C"

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

//go:noinline
func burnBelow(n uint64) (sum uint64) {
	for ; n != 0; n-- {
		sum += n ^ sum
	}
	return sum
}

//export burnInCallback
func burnInCallback(n C.uint64_t) C.uint64_t { return C.uint64_t(burnBelow(uint64(n))) + 1 }

//go:noinline
func throughC(n uint64) uint64 { return uint64(C.call_c(C.uint64_t(n))) + 1 }

//go:noinline
func backFromC(n uint64) uint64 { return uint64(C.call_back(C.uint64_t(n))) + 1 }

//go:noinline
func readClock(n uint64) (sum uint64) {
	for ; n != 0; n-- {
		sum += uint64(time.Now().Nanosecond())
	}
	return sum
}

func threadNs() int64 {
	var now syscall.Timespec
	const threadClock = 3
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

func measured(into *int64, work func(uint64) uint64, n uint64) uint64 {
	start := threadNs()
	sum := work(n)
	*into += threadNs() - start
	return sum
}

var ignored uint64

func main() {
	runtime.LockOSThread()
	debug.SetGCPercent(-1)
	seconds := 2.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	deadline := time.Now().Add(time.Duration(seconds * 1e9))
	var c, callback, clock int64
	for seed := uint64(1); time.Now().Before(deadline); seed = seed*6364136223846793005 + 1442695040888963407 {
		unit := 300000 + (seed>>40)%300000
		ignored += measured(&c, throughC, unit)
		ignored += measured(&callback, backFromC, unit)
		ignored += measured(&clock, readClock, unit/50)
	}
	json.NewEncoder(os.Stdout).Encode(map[string]int64{
		"burn_c": c, "burnBelow": callback, "readClock": clock, "total": threadNs()})
}
