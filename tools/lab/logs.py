"""Reading the raw logs of a run. All times are the guest's CLOCK_BOOTTIME seconds."""

import json
import os
import re

LIMITS = {"memory.high", "memory.max", "memory.swap.max", "pids.max", "cpu.weight", "cpu.max", "io.max"}
DEFAULTS = {"cpu.weight": "100", "cpu.max": "max 100000", "memory.high": "max", "memory.max": "max",
            "memory.swap.max": "max", "pids.max": "max", "io.max": ""}


def read_lines(path):
    """JSON lines; a last line cut short by the end of the guest is dropped."""
    rows = []
    if os.path.exists(path):
        for text in open(path, errors="replace"):
            try:
                rows.append(json.loads(text))
            except ValueError:
                continue
    return rows


def read_json(path):
    rows = read_lines(path)
    return rows[0] if rows else {}


def read_text(path):
    return open(path, errors="replace").read() if os.path.exists(path) else ""


def read_times(path):
    return {key: float(value) for key, _, value in (line.strip().partition("=") for line in read_text(path).splitlines())}


def percentile(values, p):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * p))] if values else None


def bystander(path, phases, without=()):
    """{phase: (p50, p99, max in ms, failures)} from a latency per request; a failed one counts as a second. WITHOUT:
    times [(begin, end)] in which others, not the agent, kept the machine busy."""
    lines = read_text(path).split()
    if len(lines) < 4:
        return {}
    start, period = float(lines[0]), float(lines[1])
    found = {}
    for phase, (begin, end) in phases.items():
        first, last = max(0, int((begin - start) / period)), max(0, int((end - start) / period))
        values = [int(v) for i, v in enumerate(lines[3 + first:3 + last], first)
                  if not any(a <= start + i * period <= b for a, b in without)]
        if values:
            ms = [v / 1000 if v >= 0 else 1000.0 for v in values]
            found[phase] = [round(percentile(ms, .5), 2), round(percentile(ms, .99), 2), round(max(ms), 1),
                            sum(v < 0 for v in values)]
    return found


def deaths(out, serial, dmesg):
    """Who died by whose hand: the kernel's OOM killer, an agent that says so, or a signal without a name."""
    died = []
    for match in re.finditer(r"(?:Out of memory|Memory cgroup out of memory)[^\n]*Killed process (\d+) \(([^)]*)\)", dmesg or serial):
        died.append(f"{match[2]} by the kernel")
    for match in re.finditer(r'sending (SIG\w+) to process (\d+) uid \d+ "([^"]*)"', read_text(os.path.join(out, "agent.log"))):
        died.append(f"{match[3]} by the agent ({match[1]})")
    for name in sorted(os.listdir(out)) if os.path.isdir(out) else []:
        if name.endswith(".exit") and name not in ("script.exit", "unit.exit", "sampler.exit"):
            code = int((read_text(os.path.join(out, name)).split() or ["0"])[0])
            if name != "agent.exit" and code > 128:
                died.append(f"{name[:-5]} ended by signal {code - 128}")
            elif name == "agent.exit" and code not in (0, 143):
                died.append(f"agent ended with {code}")
    return died


def limit_changes(samples, start):
    return [s for s in samples if s.get("change") in LIMITS and s["t"] >= start]


def most_in_window(times, seconds):
    return max((sum(t <= u < t + seconds for u in times) for t in times), default=0)


def fastest(samples, begin, end, seconds=5.0):
    """MB/s, the most over any `seconds` between begin and end, of the bytes that cannot be dropped."""
    points, best, low = [(s["t"], s["undrop"]) for s in samples if s.get("undrop", -1) >= 0 and begin <= s["t"] <= end], 0.0, 0
    for t, value in points:
        while points[low][0] < t - seconds:
            low += 1
        if t - points[low][0] > seconds * 0.9:
            best = max(best, (value - points[low][1]) / (t - points[low][0]) / (1 << 20))
    return round(best, 2)


def still_held(samples, groups_at_start, stays=""):
    """The time at which the last limit, room or frozen state that the sampler saw was undone; None = never. STAYS:
    "FILE=VALUE" that an administrator set meanwhile."""
    held, last = {}, None
    for s in samples:
        if "change" not in s:
            continue
        key = (s["group"], s["change"] if s["change"] not in ("mkdir", "rmdir") else "room")
        if s["change"] == "mkdir" and s["group"].endswith("/hosa.hold"):
            held[key] = True
        elif s["change"] == "rmdir":
            for each in [k for k in held if k[0] == s["group"]]:
                held.pop(each), (last := s["t"])
        elif s["change"] == "pids.max" and s["old"] == "" and groups_at_start.setdefault(key, s["new"]) == s["new"]:
            continue  # a unit that has just started, with its TasksMax=
        elif s["change"] in LIMITS or s["change"] == "cgroup.freeze":
            # A file that appears (a controller was switched on) holds the kernel's default, or already our value.
            original = groups_at_start.setdefault(key, s["old"] or DEFAULTS.get(s["change"], s["new"]))
            if s["new"] in (original, "") or f"{s['change']}={s['new']}" == stays:  # "": the controller was switched off again
                if held.pop(key, None):
                    last = s["t"]
            else:
                held[key] = True
        if held:
            last = None
    return (None if held else last), sorted(f"{g} {f}" for g, f in held)


def audit_of(out):
    return read_lines(os.path.join(out, "audit.jsonl"))


def culprit_group(event):
    c = event.get("culprit") or {}
    return (c.get("cgroup") if isinstance(c, dict) else c) or event.get("target") or ""


def pid_of(event):
    c = event.get("culprit")
    return c.get("pid") if isinstance(c, dict) else None


def first(rows, test):
    return next((r for r in rows if test(r)), None)


def since(event, onset):
    return round(event["t"] - onset, 3) if event else None
