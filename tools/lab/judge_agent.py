"""The agent itself: killed, tried in parts, asked by the doctor, with a CPU taken away."""

import json
import os

from logs import read_json, read_lines, read_text


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
    # Attribution on this kernel, with its page size: each kind within 5 %.
    told = [x for x in read_text(os.path.join(out, "selftest.txt")).splitlines() if "sense attribution" in x]
    v["attribution"] = [x.split("ms", 1)[-1].strip() for x in told]
    v["broken"] += [x for x in told if not x.startswith("ok")] + ([] if len(told) == 4 else ["the self-test did not tell of attribution"])
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
