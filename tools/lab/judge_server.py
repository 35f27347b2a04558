"""What became of a whole Debian: the episode as anywhere else, and what the administrator did MEANWHILE (guest/server
writes each into meanwhile.jsonl: what, asked, done, exit; or a value). holding.md and S1-S10 of README say what must happen."""

import os

from judge_episode import judge_episode
from logs import audit_of, read_lines, read_text, read_times


def events(out, what):
    return [e for e in read_lines(os.path.join(out, "meanwhile.jsonl")) if e.get("what") == what]


def one(v, out, what, within_s=None):
    """The event, which must have happened, gone well, and in time."""
    found = events(out, what)
    if not found:
        v["broken"].append(f"{what}: never happened")
        return {}
    for event in found:
        if event.get("exit", 0) != 0:
            v["broken"].append(f"{what} ended with {event['exit']}")
        took = round(event.get("done", event["asked"]) - event["asked"], 2)
        v[what.replace("-", "_") + "_s"] = max(took, v.get(what.replace("-", "_") + "_s", 0))
        if within_s is not None and took > within_s:
            v["broken"].append(f"{what} took {took} s (promised <= {within_s})")
    return found[-1]


def value(v, out, what, wanted):
    found = events(out, what)
    got = found[-1]["value"] if found else None
    if got != wanted:
        v["broken"].append(f"{what} is {got!r}, expected {wanted!r}")


def ends_of(out, unit):
    """[(result, code, status, time)] of every end of a unit, by systemd's words."""
    return [tuple(line.split()) for line in read_text(os.path.join(out, unit + ".unit")).splitlines() if line]


def own_limit_stands(samples, audit, begin, end, file):
    """The share of the samples' time between BEGIN and END for which our latest value of FILE stood there."""
    ours = [(a["t"], a["new"]) for a in audit if a.get("action") == file and a.get("event") in ("insured", "act") and a.get("new")]
    group_values = [(x["t"], x["new"]) for x in samples if x.get("change") == file and "offender" in x["group"]]
    lost, total, t = 0.0, 0.0, begin
    while t < end:
        standing = [value for when, value in group_values if when <= t]
        mine = {value for when, value in ours if when <= t}
        if mine and standing:
            total += 0.1
            lost += 0.1 if standing[-1] not in mine else 0
        t += 0.1
    return round(1 - lost / total, 3) if total else None


def judge_reload(v, s, out, samples, audit, times):
    one(v, out, "daemon-reload", 10 if s["fault"] == "leak" else 20)  # it shares the CPU with a storm
    if s["fault"] == "leak":
        again = [a for a in audit if a.get("result") == "written again"]
        v["written_again"] = len(again)
        v["line_stood"] = own_limit_stands(samples, audit, times["onset"] + s["meanwhile_after"], times["fault_end"], "memory.high")
        if v["line_stood"] is not None and v["line_stood"] < 0.8:
            v["broken"].append(f"our memory.high stood {v['line_stood']} of the time after daemon-reload")


def judge_restart(v, s, out, samples, audit, times):
    one(v, out, "restart", 3)
    value(v, out, "active", "active")


def judge_stop(v, s, out, samples, audit, times):
    one(v, out, "stop", 3)
    value(v, out, "active", "inactive")
    acting = [a["t"] for a in audit if a.get("event") == "bucket"]
    stopped = events(out, "stop")
    if stopped and acting and acting[-1] > stopped[-1]["done"] + 15:
        v["broken"].append("the bucket went on after its unit had gone")


def judge_set_property(v, s, out, samples, audit, times):
    one(v, out, "set-property", 3)
    found = events(out, "memory.high")
    if not found or found[-1]["value"] in ("max", ""):
        v["broken"].append("our memory.high was lost to set-property of another file")


def judge_administrator(v, s, out, samples, audit, times):
    one(v, out, "administrator", 1)
    value(v, out, "memory.high", "943718400")
    last = [x["new"] for x in samples if x.get("change") == "memory.high" and "offender" in x["group"]]
    if not last or last[-1] != "943718400":
        v["broken"].append(f"the administrator's memory.high did not stay: {last[-1:]}")
    if not any(a.get("result", "").startswith("somebody else's value") for a in audit):
        v["broken"].append("nothing is said of the administrator's value")


def judge_install(v, s, out, samples, audit, times):
    one(v, out, "install", 60)


def judge_login(v, s, out, samples, audit, times):
    one(v, out, "login", 30)  # a key exchange alone is 17 s of this CPU
    one(v, out, "answer", 2)


def judge_scribble(v, s, out, samples, audit, times):
    one(v, out, "scribble", 10)
    counts = [(e["asked"], e["value"]) for e in events(out, "wakeups")]
    if len(counts) != 2 or None in (counts[0][1], counts[1][1]):
        v["broken"].append(f"the agent did not tell its wake-ups: {counts}")
        return
    (began, before), (ended, after) = counts
    v["wakeups_s"] = round((after - before) / (ended - began), 1)
    if v["wakeups_s"] > 200:
        v["broken"].append(f"{v['wakeups_s']} wake-ups a second while somebody wrote into memory.swap.max (promised <= 200)")


def judge_container(v, s, out, samples, audit, times):
    one(v, out, "exec", 3)  # `crun exec` into the held container


def judge_term(v, s, out, samples, audit, times):
    asked = one(v, out, "term", 1)
    lines = [line for line in read_text(os.path.join(out, "offender.log")).splitlines() if line.startswith("terminated")]
    if not lines:
        v["broken"].append("SIGTERM was never handled")
        return
    v["term_handled_s"] = round(float(lines[0].split()[1]) - asked.get("asked", 0), 2)
    if v["term_handled_s"] > 2:
        v["broken"].append(f"SIGTERM was handled after {v['term_handled_s']} s (promised <= 2)")


def judge_stop_agent(v, s, out, samples, audit, times):
    one(v, out, "stop-agent", 1)
    held = events(out, "held")
    if not held or held[-1]["value"].get("held") != 0:
        v["broken"].append(f"4 s after SIGSTOP of the agent: {held[-1]['value'].get('why') if held else 'not looked'}")
    one(v, out, "continue-agent", 1)


def judge_kill_agent(v, s, out, samples, audit, times):
    one(v, out, "kill-agent", 1)
    # systemd starts the next one after 2 s, so what stands at 2 s is what the dead one left.
    held = events(out, "held")
    if not held or held[-1]["value"].get("held") != 0:
        v["broken"].append(f"2 s after SIGKILL of the agent: {held[-1]['value'].get('why') if held else 'not looked'}")
    began_again(v, out, audit, "kill-agent")


def judge_restart_agent(v, s, out, samples, audit, times):
    one(v, out, "restart-agent", 8)
    value(v, out, "agent", "active")
    began_again(v, out, audit, "restart-agent")


def began_again(v, out, audit, what):
    """A second agent, and the leak held by it too."""
    asked = events(out, what)[-1]["asked"] if events(out, what) else 0
    starts = [a["t"] for a in audit if a.get("event") == "start" and a["t"] > asked]
    if not starts:
        v["broken"].append("no agent started again")
        return
    v["agent_back_s"] = round(starts[0] - asked, 1)
    insured = [a["t"] for a in audit if a.get("event") == "insured" and a["t"] > starts[0]]
    v["held_again_s"] = round(insured[0] - asked, 1) if insured else None
    if not insured:
        v["broken"].append("the leak was not held again by the next agent")


def judge_reboot(v, s, out, folder):
    asked, down = events(out, "reboot"), read_text(os.path.join(out, "shutdown")).strip()
    if not asked or not down:
        v["broken"].append(f"the way down was not finished (asked: {len(asked)}, shutdown at {down or '-'})")
        return
    v["down_s"] = round(float(down) - asked[0]["asked"], 1)
    if v["down_s"] > 25:
        v["broken"].append(f"the way down took {v['down_s']} s (promised <= 25)")
    ends = ends_of(out, "offender")
    v["offender_end"] = " ".join(ends[-1]) if ends else None
    lines = [x for x in read_text(os.path.join(out, "offender.log")).splitlines() if x.startswith("terminated")]
    if not lines:
        v["broken"].append(f"the held unit was not ended in good order: {v['offender_end']}")
    else:
        v["term_handled_s"] = round(float(lines[0].split()[1]) - asked[0]["asked"], 2)
    if not any(a.get("event") == "bucket" for a in audit_of(out)):
        v["broken"].append("nothing was held when the reboot came: nothing is proved")


MEANWHILE = {"daemon-reload": judge_reload, "restart": judge_restart, "stop": judge_stop, "set-property": judge_set_property,
             "administrator": judge_administrator, "install": judge_install, "login": judge_login, "term": judge_term,
             "container": judge_container, "scribble": judge_scribble,
             "stop-agent": judge_stop_agent, "kill-agent": judge_kill_agent, "restart-agent": judge_restart_agent}


def judge_server(v, s, out, folder, agent, ram_mb, promise):
    if s["meanwhile"] == "reboot":
        # The guest is gone with its script: that it is, is the point.
        v["broken"] = [b for b in v["broken"] if not b.endswith("see serial.log")]
        return judge_reboot(v, s, out, folder)
    judge_episode(v, s, out, folder, agent, ram_mb, promise)
    samples, audit = read_lines(os.path.join(out, "samples.jsonl")), audit_of(out)
    times = read_times(os.path.join(out, "times"))
    if agent == "hosa" and s["meanwhile"] in MEANWHILE:
        MEANWHILE[s["meanwhile"]](v, s, out, samples, audit, times)
    ends = ends_of(out, "offender")
    v["offender_ends"] = [" ".join(e) for e in ends]
    if any(e[0] not in ("success",) for e in ends):
        v["broken"].append(f"systemd ended the unit: {v['offender_ends']}")
    epoll = [x.split() for x in read_text(os.path.join(out, "offender.log")).splitlines() if x.startswith("epoll")]
    if s["fault"] == "leak-epoll":
        if not epoll:
            v["broken"].append("the epoll server left no figures")
        else:
            v["eintr_per_s"] = round(int(epoll[0][2]) / float(epoll[0][3]), 2)
            if v["eintr_per_s"] > 4:
                v["broken"].append(f"EINTR {v['eintr_per_s']} a second (promised <= 4)")
