"""Runs a command on a terminal of its own and does steps: reads JSON lines on stdin, prints what happened as JSON.

A step is {"wait": text} (until the output since the last step has it), {"send": text}, {"signal": number},
{"stopped": true} (until job control has stopped the command) or {"mark": true} (forget the output so far). Python, as
Node has no pty.
"""

import fcntl, json, os, pty, select, signal, struct, sys, termios, time

request = json.loads(sys.stdin.read())
DEADLINE = time.time() + request["timeout"]

pid, fd = pty.fork()
if pid == 0:
    os.execvpe(request["argv"][0], request["argv"], {**os.environ, **request["env"]})
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", request["rows"], request["columns"], 0, 0))
before = termios.tcgetattr(fd)
output, seen = b"", 0


def end(problem, status):
    ended = status is not None
    print(json.dumps({
        "problem": problem,
        "code": os.waitstatus_to_exitcode(status) if ended else None,
        "output": output.decode("utf-8", "replace"),
        "isCooked": mode_is_cooked(),
    }))
    sys.exit(0)


def mode_is_cooked():
    try:
        return bool(termios.tcgetattr(fd)[3] & termios.ICANON)
    except termios.error:
        return True


def read(seconds):
    global output
    ready, _, _ = select.select([fd], [], [], seconds)
    if not ready:
        return True
    try:
        data = os.read(fd, 65536)
    except OSError:
        return False
    output += data
    return data != b""


def until(holds, what):
    while not holds():
        if time.time() > DEADLINE:
            os.kill(pid, signal.SIGKILL)
            end(f"never came: {what}", None)
        if not read(0.05):
            time.sleep(0.02)


def is_stopped():
    done, status = os.waitpid(pid, os.WNOHANG | os.WUNTRACED)
    return done == pid and os.WIFSTOPPED(status)


for step in request["steps"]:
    if "wait" in step:
        wanted = step["wait"].encode()
        until(lambda: wanted in output[seen:], step["wait"])
        seen = len(output)
    elif "send" in step:
        os.write(fd, step["send"].encode())
    elif "signal" in step:
        os.kill(pid, step["signal"])
    elif "stopped" in step:
        until(is_stopped, "a stop")
        read(0.1)
        if not mode_is_cooked():
            end("stopped with a raw terminal", None)
    elif "mark" in step:
        seen = len(output)

while read(0.2):
    if time.time() > DEADLINE:
        os.kill(pid, signal.SIGKILL)
        end("did not end", None)
    done, status = os.waitpid(pid, os.WNOHANG)
    if done == pid:
        while select.select([fd], [], [], 0)[0] and read(0):
            pass
        end("", status)
end("", os.waitpid(pid, 0)[1])
