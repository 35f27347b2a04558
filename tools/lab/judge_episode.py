"""An episode: a fault, its culprit, and everybody beside it."""

import os
import re

from logs import LIMITS, audit_of, bystander, culprit_group, deaths, fastest, first, limit_changes, most_in_window, pid_of, read_json, read_lines, read_text, read_times, since, still_held

CPU_HOLDS = ("cpu.weight", "SCHED_IDLE", "autogroup")


def judge_episode(v, s, out, folder, agent, ram_mb, promise):
    times, samples = read_times(os.path.join(out, "times")), read_lines(os.path.join(out, "samples.jsonl"))
    done, audit = read_json(os.path.join(out, "offender.json")), audit_of(out)
    onset, fault_end, end = done.get("onset", times["onset"]), times["fault_end"], times["end"]
    fault = [x for x in samples if onset <= x["t"] <= fault_end]
    v["onset"] = onset
    memory_figures(v, samples, fault, onset, fault_end, ram_mb)
    limit_figures(v, samples, audit, onset, fault_end, s["healthy"], out, s["stays"])
    slowed = first(audit, lambda a: a.get("event") == "act" and a.get("action") in CPU_HOLDS and a.get("t", 0) >= onset)
    v["held_s"] = since(slowed, onset)
    v["bystander"] = bystander(os.path.join(out, "bystander.txt"),
                               {"healthy": (onset - s["healthy"], onset), "fault": (onset, fault_end), "after": (fault_end + 1, end - 5),
                                "held": (slowed["t"] if slowed else onset, fault_end)},
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
    # A file that is gone was not written: the agent's own unit loses its cgroup when systemd starts it anew.
    innocent = [c for c in on_lab if c["new"] != "" and not c["group"].startswith(offender) and not (group and c["change"].startswith("cpu."))]
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
    most("held_s", "storm held after onset, s")
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
        # A storm is promised to be held in time, and how others fare from then on; where no weight can be given, throughout.
        storm = promise["held_s"] is not None and not promise["p99_floor_ms"]
        judged = v["bystander"].get("held", fault) if storm else fault
        v["p99_ratio"] = round(judged[1] / healthy[1], 2)
        if judged[1] > promise["p99_floor_ms"]:
            most("p99_ratio", f"bystander p99 {'once it was held' if storm else 'in the fault'} against healthy")
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
