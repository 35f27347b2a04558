"""Ordinary life, in which nobody is to be held."""

import os

from judge_episode import agent_figures
from logs import audit_of, deaths, first, limit_changes, read_json, read_lines, read_text, read_times


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
        # The youngest: where nobody has a group of his own, what ended 6 s before is no candidate beside what runs.
        thing = first(things[::-1], lambda x: x["group"] == name or (not name and x["t"] - 1 <= a["t"] <= x["t"] + x["took"] + 10))
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
