// Goroutines that know their own truth: frameless leaves burn CPU below callers of known names, and each goroutine
// measures by its thread's CPU clock how much went where. Usage: split [seconds]; prints one JSON object, nanoseconds.
// The collector is off, so nothing but the functions below runs.
package main

import (
	"encoding/json"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

const part = 300000

// Frameless: the return address is the leaf's only word on the stack, and the frame pointer is its caller's. A walk by
// frame pointers loses callA and callB.
//
//go:noinline
func burnA(n uint64) (sum uint64) {
	for ; n != 0; n-- {
		sum += n ^ sum
	}
	return sum
}

//go:noinline
func burnB(n uint64) (sum uint64) {
	for ; n != 0; n-- {
		sum ^= n + sum
	}
	return sum
}

//go:noinline
func callA(n uint64) uint64 { return burnA(3*n) + 1 }

//go:noinline
func callB(n uint64) uint64 { return burnB(n) + 1 }

// A frame larger than one page, so that depths change by more than a byte's worth.
//
//go:noinline
func wideB(n uint64) uint64 {
	var room [700]uint64
	room[n%700] = n
	return callB(n) + room[(n+1)%700]
}

func threadNs() int64 {
	var now syscall.Timespec
	const threadClock = 3
	syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, threadClock, uintptr(unsafe.Pointer(&now)), 0)
	return now.Nano()
}

type used struct{ A, B, Total int64 }

func work(deadline time.Time, seed uint64) (mine used, sum uint64) {
	runtime.LockOSThread()
	begin := threadNs()
	for time.Now().Before(deadline) {
		seed = seed*6364136223846793005 + 1442695040888963407
		unit := part + (seed>>40)%part
		start := threadNs()
		sum += callA(unit)
		middle := threadNs()
		sum += wideB(unit)
		end := threadNs()
		mine.A += middle - start
		mine.B += end - middle
	}
	mine.Total = threadNs() - begin
	return mine, sum
}

var ignored uint64

func main() {
	debug.SetGCPercent(-1)
	seconds := 2.0
	if len(os.Args) > 1 {
		seconds, _ = strconv.ParseFloat(os.Args[1], 64)
	}
	deadline := time.Now().Add(time.Duration(seconds * 1e9))
	var group sync.WaitGroup
	var lock sync.Mutex
	var all used
	for worker := uint64(1); worker <= 2; worker++ {
		group.Add(1)
		go func() {
			defer group.Done()
			mine, sum := work(deadline, worker)
			lock.Lock()
			defer lock.Unlock()
			ignored += sum
			all.A += mine.A
			all.B += mine.B
			all.Total += mine.Total
		}()
	}
	group.Wait()
	json.NewEncoder(os.Stdout).Encode(map[string]int64{"burnA": all.A, "burnB": all.B, "total": all.Total})
}
