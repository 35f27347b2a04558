"""What became of everybody, out of a run's raw logs. judge() returns a flat dict of figures plus "green" and "broken"
(the promises not kept, each in words with its figure). All times are the guest's CLOCK_BOOTTIME seconds.

Promises (scenario files may override; null = not promised):"""

import json
import os
import re

PROMISES = {
    "insured_s": 1.0,         # onset -> first limit, on the right cgroup
    "named_s": 5.0,           # onset -> the culprit is named, rightly
    "growth_percent": 70,     # growth of the bytes that cannot be dropped, of the room at onset
    "bucket_mb_s": 4.0,       # over any 5 s once the bucket runs
    "refaults": 100,          # of the culprit's file pages
    "psi_full_s": 1.0,        # memory full of the machine, over the fault
    "p99_ratio": 2.0,         # bystander, in the fault against healthy
    "p99_floor_ms": 0,        # a p99 in the fault that is not longer is kept, whatever the ratio
    "end_s": 2.0,             # the culprit ends on time, plus or minus
    "pace": 0.9,              # its ordinary work afterwards, and its mate's throughout
    "gone_s": 15.0,           # every limit and room is gone this long after the fault's end
    "changes_first_10s": 5, "changes_any_10s": 3,
    "innocent_ratio": 1.1,
}
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


def judge(s, folder, agent, ram_mb, reason):
    """The verdict on one run; REASON is why the guest did not end by itself, or None."""
    out = os.path.join(folder, "out")
    verdict = {"green": True, "broken": []}
    if reason or not os.path.exists(os.path.join(out, "script.exit")):
        verdict["broken"].append("the guest did not come to its end: " + (reason or "see serial.log"))
    if "zram: failed" in read_text(os.path.join(out, "init.log")):
        verdict["broken"].append("the guest has no swap: see out/init.log")
    import judge_server  # it uses this file's readers
    judges = {"server": judge_server.judge_server, "episode": judge_episode, "innocents": judge_innocents, "calm": judge_calm, "kill": judge_kill, "unit": judge_unit,
              "doctor": judge_doctor, "life": judge_life, "unplug": judge_unplug}
    promises = {**PROMISES, **s["promises"]}
    try:
        judges[s["script"]](verdict, s, out, folder, agent, ram_mb, promises)
    except (KeyError, IndexError, ValueError, TypeError, OSError) as error:
        verdict["broken"].append(f"the logs are not whole: {type(error).__name__} {error}")
    verdict["green"] = not verdict["broken"]
    return verdict


def judge_episode(v, s, out, folder, agent, ram_mb, promise):
    times, samples = read_times(os.path.join(out, "times")), read_lines(os.path.join(out, "samples.jsonl"))
    done, audit = read_json(os.path.join(out, "offender.json")), audit_of(out)
    onset, fault_end, end = done.get("onset", times["onset"]), times["fault_end"], times["end"]
    fault = [x for x in samples if onset <= x["t"] <= fault_end]
    v["onset"] = onset
    memory_figures(v, samples, fault, onset, fault_end, ram_mb)
    limit_figures(v, samples, audit, onset, fault_end, s["healthy"], out, s["stays"])
    v["bystander"] = bystander(os.path.join(out, "bystander.txt"),
                               {"healthy": (onset - s["healthy"], onset), "fault": (onset, fault_end), "after": (fault_end + 1, end - 5)},
                               [(e["asked"] - 0.5, e.get("done", e["asked"]) + 2) for e in read_lines(os.path.join(out, "meanwhile.jsonl"))])
    v["died"] = deaths(out, read_text(os.path.join(folder, "serial.log")), read_text(os.path.join(out, "dmesg")))
    work_figures(v, done, s)
    agent_figures(v, samples, read_text(os.path.join(out, "status.json")), onset, fault_end)
    v["left"] = read_json(os.path.join(out, "left.json")).get("why", "not looked")
    if s["stays"]:  # an administrator's value
        v["left"] = ",".join(x for x in v["left"].split(",") if s["stays"] not in x)
    v["sampler_gap_s"] = max((x.get("gap", 0) for x in samples), default=None)
    break_promises(v, s, promise)


def memory_figures(v, samples, fault, onset, fault_end, ram_mb):
    v["least_available_mb"] = round(min(x["avail"] for x in fault if "avail" in x) / 1024)
    before = [x for x in samples if x["t"] <= onset and "avail" in x]
    reserve_mb = max(32, min(ram_mb * 0.04, 256))
    v["room_mb"] = round(before[-1]["avail"] / 1024 - reserve_mb)
    full = [x for x in fault if x.get("undrop", -1) >= 0]
    start = [x["undrop"] for x in before if x.get("undrop", -1) >= 0]
    if full and start:
        v["growth_mb"] = round((max(x["undrop"] for x in full) - start[-1]) / (1 << 20))
        v["growth_percent"] = round(100 * v["growth_mb"] / v["room_mb"])
    was = [x for x in before if "psi" in x][-1]
    now = [x for x in samples if "psi" in x and x["t"] <= fault_end + 15][-1]
    v["refaults"] = now["refault"] - was["refault"] if now.get("refault", -1) >= 0 else None
    v["psi_full_s"] = round((now["psi"] - was["psi"]) / 1e6, 2) if now["psi"] >= 0 else None
    v["oom_kills"] = now["oom"] - was["oom"]


def limit_figures(v, samples, audit, onset, fault_end, healthy, out, stays=""):
    """Limits as the witness saw them; names and decisions as the agent's audit file tells them."""
    offender_pid = read_text(os.path.join(out, "offender.pid")).strip()
    # On a whole Debian the offender is a unit or a session, and everybody else is an innocent.
    group = read_text(os.path.join(out, "offender.group")).strip()
    everybody, offender = ("/", group) if group else ("/lab/", "/lab/offender")
    changes = limit_changes(samples, onset - 80)
    on_lab = [c for c in changes if c["group"].startswith(everybody) and c["old"] != ""]
    v["changes_before_onset"] = sum(c["t"] < onset for c in on_lab)
    late = [c for c in on_lab if c["t"] >= onset and c["group"].startswith(offender)]
    v["first_limit_s"] = since(late[0], onset) if late else None
    # An insurance on a program that is just starting, during the warm-up, is allowed and told; from the healthy phase
    # on nothing may be written to anybody but the culprit.
    innocent = [c for c in on_lab if not c["group"].startswith(offender) and not (group and c["change"].startswith("cpu."))]
    v["limits_on_innocents"] = sum(c["t"] >= onset - healthy for c in innocent)
    v["limits_on_innocents_warming_up"] = len(innocent) - v["limits_on_innocents"]
    started = late[0]["t"] if late else onset
    v["changes_first_10s"] = sum(c["t"] < started + 10 for c in late)
    v["changes_any_10s"] = most_in_window([c["t"] for c in late if c["t"] >= started + 10], 10)
    acts = [a for a in audit if a.get("t", 0) >= onset]
    insured = first(acts, lambda a: a.get("event") == "insured" or (a.get("event") == "act" and a.get("action") in LIMITS))
    named = first(acts, lambda a: a.get("event") == "culprit" or (a.get("event") == "insured" and a.get("culprit")))
    bucket = first(acts, lambda a: a.get("event") == "bucket" or a.get("action") in ("freeze", "room"))
    room = first(samples, lambda x: x.get("change") == "cgroup.freeze" and x["new"] == "1" and x["t"] >= onset)
    v["insured_s"], v["named_s"], v["bucket_s"] = since(insured, onset), since(named, onset), since(bucket or room, onset)
    v["named"] = culprit_group(named) if named else None
    # Where nobody has a cgroup of its own (appliance, v1, bare) the right name is the offender's number, or its parent's, who only waits.
    v["named_rightly"] = bool(named) and (v["named"].startswith(offender) or str(pid_of(named)) in offender_pid.split())
    wrong = {culprit_group(a) for a in acts if a.get("event") in ("culprit", "insured", "act", "bucket") and culprit_group(a)}
    # PID 1 grows when it reloads its units: it is named, protected, and nothing is done to it.
    v["wrong_culprits"] = sorted(g for g in wrong if g.startswith(everybody) and not g.startswith(offender) and g not in ("/", "/init.scope"))
    began = (room or bucket or {}).get("t")
    v["bucket_mb_s"] = fastest(samples, began + 0.5, fault_end) if began and began < fault_end else None
    # The witness looks each 0.2 s and misses short freezes; the agent counts all.
    seen = sum(x.get("change") == "cgroup.freeze" and x["new"] == "1" for x in samples)
    v["freezes"] = max([seen] + [a["freezes"] for a in audit if isinstance(a.get("freezes"), int)])
    last, held = still_held([x for x in samples if x["t"] >= onset - 80], {}, stays)
    v["held_at_the_end"] = held
    v["gone_s"] = round(last - fault_end, 1) if last else (None if held else 0.0)


def work_figures(v, done, s):
    v["ended_late_s"] = round(done["ended"] - done["planned_end"], 2) if done else None
    ratio = lambda a, b: round(done[a] / done[b], 2) if done and done.get(b) else None
    v["pace_after"], v["taken_mb"] = ratio("pace_after", "pace_before"), done.get("taken_mb")
    v["children_killed"] = done.get("killed")
    if s["mate"]:
        v["mate_during"], v["mate_after"] = ratio("mate_during", "mate_before"), ratio("mate_after", "mate_before")


def agent_figures(v, samples, status, onset, fault_end):
    rows = [x for x in samples if "agent_rss" in x]
    if not rows:
        return
    v["agent_rss_mb"] = round(max(x["agent_rss"] for x in rows) / 1024, 1)

    def rates(begin, end):
        part = [x for x in rows if begin <= x["t"] <= end]
        if len(part) < 2:
            return None, None
        took = part[-1]["t"] - part[0]["t"]
        return (round(100 * (part[-1]["agent_cpu"] - part[0]["agent_cpu"]) / took, 2),
                round((part[-1]["agent_switches"] - part[0]["agent_switches"]) / took, 1))
    v["agent_cpu_calm"], v["agent_wakeups_calm"] = rates(onset - 15, onset)
    v["agent_cpu_fault"], v["agent_wakeups_fault"] = rates(onset, fault_end)
    found = re.search(r'"(?:loop_p99_ms|p99_ms|loop_p99)"\s*:\s*([\d.]+)', status)
    v["agent_loop_p99_ms"] = float(found[1]) if found else None


def break_promises(v, s, promise):
    broken = v["broken"].append

    def most(key, words, value=None):
        limit, value = promise.get(key), v.get(key) if value is None else value
        if limit is None:
            return
        if value is None:
            broken(f"{words}: never")
        elif value > limit:
            broken(f"{words}: {value} (promised <= {limit})")
    most("insured_s", "first limit after onset, s", v["first_limit_s"] if v["first_limit_s"] is not None else v["insured_s"])
    most("named_s", "culprit named after onset, s")
    if v["named"] is not None and not v["named_rightly"]:
        broken(f"the culprit named first is {v['named']}")
    if v["wrong_culprits"]:
        broken(f"innocents named: {', '.join(v['wrong_culprits'])}")
    most("growth_percent", "growth in the fault, % of the room")
    if v["bucket_mb_s"] is not None:
        most("bucket_mb_s", "MB/s over 5 s under the bucket")
    for key, words in (("refaults", "refaults of the culprit"), ("psi_full_s", "PSI memory full, s")):
        if v[key] is not None:
            most(key, words)
    if v["died"] or v["oom_kills"] or v["children_killed"]:
        broken(f"killed: {', '.join(v['died']) or ''} (oom_kill +{v['oom_kills']}, children {v['children_killed']})")
    if v["limits_on_innocents"]:
        broken(f"{v['limits_on_innocents']} limits written on innocents")
    healthy, fault = v["bystander"].get("healthy"), v["bystander"].get("fault")
    if not healthy or not fault:
        broken("the bystander left no figures")
    else:
        v["p99_ratio"] = round(fault[1] / healthy[1], 2)
        if fault[1] > promise["p99_floor_ms"]:
            most("p99_ratio", "bystander p99 in the fault against healthy")
        if fault[3]:
            broken(f"{fault[3]} requests failed")
    if not s["ends"]:
        pass  # what was done meanwhile ended it
    elif v["ended_late_s"] is None:
        broken("the culprit never came to its end")
    else:
        most("end_s", "the culprit's end off its time, s", abs(v["ended_late_s"]))
        for key, words in (("pace_after", "the culprit's work afterwards"), ("mate_during", "the mate's work in the fault"),
                           ("mate_after", "the mate's work afterwards")):
            if key in v and (v[key] or 0) < promise["pace"]:
                broken(f"{words}: {v[key]} (promised >= {promise['pace']})")
    if v["held_at_the_end"] or v["left"]:
        broken(f"left: {', '.join(v['held_at_the_end']) or v['left']}")
    elif v["gone_s"] is not None:
        most("gone_s", "limits and rooms gone after the fault, s")
    most("changes_first_10s", "limit changes in the first 10 s")
    most("changes_any_10s", "limit changes in a later 10 s")


def judge_innocents(v, s, out, folder, agent, ram_mb, promise):
    rows, v["ratios"] = read_lines(os.path.join(out, "innocents.json")), {}
    samples, audit = read_lines(os.path.join(out, "samples.jsonl")), audit_of(out)
    for row in rows:
        v["ratios"].setdefault(row["kind"], []).append(row["took"])
    for kind, took in v["ratios"].items():
        if len(took) != 2:
            v["broken"].append(f"{kind} ran {len(took)} times of 2")
            continue
        v["ratios"][kind] = ratio = round(took[1] / took[0], 3)
        v.setdefault("seconds", {})[kind] = took
        if ratio > promise["innocent_ratio"]:
            v["broken"].append(f"{kind} slowed by {ratio} ({took[0]} -> {took[1]} s)")
    if len(v["ratios"]) < 5:
        v["broken"].append(f"only {len(v['ratios'])} kinds of innocents have figures")
    v["died"] = deaths(out, read_text(os.path.join(folder, "serial.log")), read_text(os.path.join(out, "dmesg")))
    v["insured"] = sum(a.get("event") == "insured" for a in audit)
    v["acts"] = sum(a.get("event") in ("act", "bucket") for a in audit)
    v["limit_changes"] = len([c for c in limit_changes(samples, 0) if c["group"].startswith("/lab/") and c["old"] != ""])
    v["left"] = read_json(os.path.join(out, "left.json")).get("why", "not looked")
    if v["died"]:
        v["broken"].append(f"killed: {', '.join(v['died'])}")
    if v["left"]:
        v["broken"].append(f"left: {v['left']}")


def judge_calm(v, s, out, folder, agent, ram_mb, promise):
    times, audit = read_times(os.path.join(out, "times")), audit_of(out)
    samples = read_lines(os.path.join(out, "samples.jsonl"))
    if agent in ("hosa", "shadow") and not any(a.get("event") in ("start", "ready") for a in audit):
        v["broken"].append("the agent wrote no audit line of its start")
    high = [a for a in audit if a.get("event") == "level" and a.get("level", 0) >= 2 and a["t"] >= times["onset"]]
    acts = [a for a in audit if a.get("event") in ("act", "bucket") and a["t"] >= times["onset"]]
    v["insured"] = sum(a.get("event") == "insured" for a in audit)
    v["levels"] = [(round(a["t"], 1), a.get("level")) for a in high][:20]
    v["acts"] = len(acts)
    agent_figures(v, samples, "", times["fault_end"], times["fault_end"])
    # Insurance is what level 2 does about memory and is counted apart: a level 2 beside an insurance is no fault.
    insured_at = [a["t"] for a in audit if a.get("event") == "insured"]
    alarms = [a for a in high if a.get("level", 0) > 2 or not any(abs(a["t"] - t) < 1 for t in insured_at)]
    if alarms or acts:
        v["broken"].append(f"{len(alarms)} alarms of level 2 or more, {len(acts)} acts in calm")
    changed = [c for c in limit_changes(samples, 0) if c["group"].startswith("/lab/") and c["old"] != ""]
    if agent == "shadow" and changed:
        v["broken"].append(f"--shadow changed {len(changed)} limits")
    v["died"] = deaths(out, read_text(os.path.join(folder, "serial.log")), read_text(os.path.join(out, "dmesg")))
    if v["died"]:
        v["broken"].append(f"killed: {', '.join(v['died'])}")


def judge_life(v, s, out, folder, agent, ram_mb, promise):
    """Ordinary life: an insurance slows nobody and is only counted; a start-up that the bucket met is counted with its
    slowdown if it took more than 3/8 of the room, else it is a broken promise; an act on anybody else always is."""
    times, audit = read_times(os.path.join(out, "times")), audit_of(out)
    things, sizes = read_lines(os.path.join(out, "life.jsonl")), read_lines(os.path.join(out, "innocents.json"))
    v["minutes"] = round((times["end"] - times["onset"]) / 60, 1)
    v["things"], v["startups"] = len(things), sum(x["what"] == "startup" for x in things)
    v["kinds"] = {kind: sum(x["what"] == kind for x in things) for kind in sorted({x["what"] for x in things})}
    v["failed"] = sorted({x["what"] for x in things if x["exit"] != 0})
    live = [a for a in audit if a.get("t", 0) >= times["onset"]]
    v["insured"] = sum(a.get("event") == "insured" and a.get("action") == "memory.high" and a.get("level") == 2 for a in live)
    v["alarms"] = sum(a.get("event") == "level" and a.get("level", 0) >= 2 for a in live)
    acts = [a for a in live if a.get("event") == "act" and a.get("target")]
    v["acts"], v["slowed"] = len({(a["target"], round(a["t"] / 30)) for a in acts}), []
    for a in acts:
        name = a["target"].rsplit("/", 1)[-1].removesuffix(".service")
        thing = first(things, lambda x: x["group"] == name or (not name and x["t"] - 1 <= a["t"] <= x["t"] + x["took"] + 10))
        what = thing["what"] if thing else "nobody"
        size = first(sizes, lambda x: what == "startup" and abs(x["start"] - thing["t"]) < 3)
        if size is None:
            v["broken"].append(f"an act ({a.get('action')}) on {a['target']} during {what} at {a['t']:.1f} s")
            continue
        planned = float(size["kind"].split("-")[1]) / float(size["kind"].split("-")[2])
        row = [size["kind"], round(size["took"] / planned, 2)]
        if row not in v["slowed"]:
            v["slowed"].append(row)
            # What was left of the room when it began is not known here; of a fresh one 3/8 are about a third of the RAM.
            if size["amount"] < 0.25 * ram_mb:
                v["broken"].append(f"start-up {size['kind']} of less than 3/8 of the room was held, {row[1]} times as long")
    v["died"] = deaths(out, read_text(os.path.join(folder, "serial.log")), read_text(os.path.join(out, "dmesg")))
    v["left"] = read_json(os.path.join(out, "left.json")).get("why", "not looked")
    if not things:
        v["broken"].append("nothing was lived")
    for key, words in (("died", "killed"), ("failed", "failed")):
        if v[key]:
            v["broken"].append(f"{words}: {', '.join(v[key])}")
    if v["left"]:
        v["broken"].append(f"left: {v['left']}")


def judge_kill(v, s, out, folder, agent, ram_mb, promise):
    rounds = read_lines(os.path.join(out, "strikes.jsonl"))
    strikes = [r["strike"] for r in rounds if r.get("strike")]
    v["rounds"], v["struck_while_held"] = len(strikes), sum(x["held_before"] > 0 for x in strikes)
    v["struck_while_frozen"] = sum(x["frozen_before"] > 0 for x in strikes)
    v["clean_after_worst_s"] = max((x["clean_after"] for x in strikes), default=None)
    if len(strikes) < s["rounds"]:
        v["broken"].append(f"{len(strikes)} strikes of {s['rounds']}")
    for r in rounds:
        if r.get("strike") and r["strike"]["clean_after"] < 0:
            v["broken"].append(f"round {r['round']}: after {s['within']} s still {r['strike']['why'][:200]}")
    if agent == "hosa" and strikes and v["struck_while_held"] < s["rounds"] * 3 // 4:
        v["broken"].append(f"only {v['struck_while_held']} strikes fell while anything was held: nothing is proved")


def judge_unit(v, s, out, folder, agent, ram_mb, promise):
    v["exit"], log = read_text(os.path.join(out, "unit.exit")).strip(), read_text(os.path.join(out, "unit.log"))
    v["last"] = (log.strip().splitlines() or [""])[-1]
    if v["exit"] != "0":
        v["broken"].append(f"the test program ended with {v['exit'] or 'nothing'}: {v['last'][:200]}")


def judge_doctor(v, s, out, folder, agent, ram_mb, promise):
    """The doctor's answer against what this profile really has: settings and command line, as the guest had them."""
    settings = dict(x.strip().removeprefix("export ").split("=", 1) for x in read_text(os.path.join(out, "settings")).splitlines() if "=" in x)
    settings = {key: value.strip("'\"") for key, value in settings.items()}
    words, d = read_text(os.path.join(out, "cmdline")).split(), json.loads(read_text(os.path.join(out, "doctor.json")))
    senses, means, m = {x["name"]: x for x in d["senses"]}, {x["name"]: x for x in d["means"]}, d["machine"]
    # What the v2 root offers, whoever has switched it on below; where nothing is mounted hosa mounts it privately.
    memory = "cgroup_disable=memory" not in words and settings["CGROUPS"] != "v1"
    locked, page = "lockdown=confidentiality" in words, 16384 if "-16k " in read_text(os.path.join(out, "init.log")) else 4096
    rungs = {x["sensor"]: x["rung"] for x in d["rungs"]}
    v["senses"] = f"{sum(x['rung'] != 'absent' for x in senses.values())} of {len(senses)}"
    truths = {"memory controller": (m["memory_controller"], memory), "BTF": (m["btf"], settings["HIDE_BTF"] != "1"),
              "tracefs": (m["tracefs"], not locked), "PSI": (m["psi"], "psi=0" not in words), "root": (m["root"], True),
              "insurance": (means["memory insurance"]["rung"] == "memory.high", memory),
              "PSI dimension": (senses["cpu_wait"]["rung"] != "absent", "psi=0" not in words),
              "swap dimension": (senses["swapped"]["rung"] != "absent", settings["ZRAM_MB"] != "0"),
              "hold room": (means["hold room"]["rung"].startswith("cgroup.freeze"), True),
              "page allocator": (senses["memory_allocated"]["rung"], "raw_tp mm_page_alloc"),
              "page size": (m["page_bytes"], page), "one real memory node": (m["memory nodes"].startswith("1 real node"), True),
              "lockdown": (m["lockdown"] == "confidentiality", locked),
              "allocation flags": (rungs["allocation flags"].startswith("tracefs"), not locked),
              "bytes of disks": (rungs["block bytes"] != "absent", not locked),
              "brk": (rungs["brk"] != "absent", not locked)}
    v["broken"] += [f"doctor says {name} is {said}, the lab knows {so}" for name, (said, so) in truths.items() if said != so]
    if "cgroup_disable=memory" in words and "cgroup_disable=memory" not in means["memory insurance"]["improve"]:
        v["broken"].append(f"no remedy for the missing controller: {means['memory insurance']['improve']}")
    if "psi=0" in words and "psi=1" not in senses["cpu_wait"]["improve"]:
        v["broken"].append(f"no remedy for missing PSI: {senses['cpu_wait']['improve']}")
    if locked and "lockdown=integrity" not in senses["brk_calls"]["improve"]:
        v["broken"].append(f"no remedy for lockdown: {senses['brk_calls']['improve']}")
    for name in ("doctor.exit", "jump.exit"):
        if read_text(os.path.join(out, name)).strip() != "0":
            v["broken"].append(f"{name}: {read_text(os.path.join(out, name)).strip()}")
    ticks = [read_json(os.path.join(out, f"{when}-jump{back}.json")).get("ticks", 0)
             for when, back in (("before", ""), ("after", ""), ("after", "-back"))]
    v["ticks_around_jumps"] = ticks
    if not ticks[0] < ticks[1] < ticks[2] or ticks[2] - ticks[0] > 120:
        v["broken"].append(f"ticks before, after a jump forward, after one back: {ticks}")


def judge_unplug(v, s, out, folder, agent, ram_mb, promise):
    """The agent goes on, and what it senses stays within what a machine can be."""
    if read_text(os.path.join(out, "online")).strip() != "0" or "refused" in read_text(os.path.join(out, "script.log")):
        v["broken"].append("no CPU was taken away: " + read_text(os.path.join(out, "script.log")).strip()[:100])
    if read_text(os.path.join(out, "plug.exit")).strip() != "0":
        v["broken"].append("the agent ended with " + read_text(os.path.join(out, "plug.exit")).strip())
    states = [read_json(os.path.join(out, f"{when}.json")) for when in ("before", "without", "after")]
    v["ticks"], v["busy"] = [x["ticks"] for x in states], [x["x"]["cpu_busy"] for x in states]
    if not v["ticks"][0] < v["ticks"][1] < v["ticks"][2]:
        v["broken"].append(f"ticks before, without the CPU, after: {v['ticks']}")
    wild = {name: value for x in states for name, value in x["x"].items() if value < 0 or name.startswith("cpu_busy") and value > 1.05}
    if wild:
        v["broken"].append(f"no machine is like this: {wild}")


def line(v):
    name = f"{v['scenario']} {v['kernel']} {v['profile']} {v['agent']} run {v['run']}"
    return f"ok     {name}" if v["green"] else f"not ok {name}: {'; '.join(v['broken'])} [{v.get('folder', '-')}]"
