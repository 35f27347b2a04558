"""What became of everybody, out of a run's raw logs. judge() returns a flat dict of figures plus "green" and "broken"
(the promises not kept, each in words with its figure). All times are the guest's CLOCK_BOOTTIME seconds.

Promises (scenario files may override; null = not promised):"""

import os

from judge_agent import judge_doctor, judge_kill, judge_unit, judge_unplug
from judge_calm import judge_calm, judge_innocents, judge_life
from judge_episode import judge_episode
from judge_server import judge_server
from logs import read_text

PROMISES = {
    "insured_s": 1.0,         # onset -> first limit, on the right cgroup
    "named_s": 5.0,           # onset -> the culprit is named, rightly
    "held_s": None,           # of a storm: onset -> it has less of the CPU
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


def judge(s, folder, agent, ram_mb, reason):
    """The verdict on one run; REASON is why the guest did not end by itself, or None."""
    out = os.path.join(folder, "out")
    verdict = {"green": True, "broken": []}
    if reason or not os.path.exists(os.path.join(out, "script.exit")):
        verdict["broken"].append("the guest did not come to its end: " + (reason or "see serial.log"))
    if "zram: failed" in read_text(os.path.join(out, "init.log")):
        verdict["broken"].append("the guest has no swap: see out/init.log")
    judges = {"server": judge_server, "episode": judge_episode, "innocents": judge_innocents, "calm": judge_calm, "kill": judge_kill, "unit": judge_unit,
              "doctor": judge_doctor, "life": judge_life, "unplug": judge_unplug}
    promises = {**PROMISES, **s["promises"]}
    try:
        judges[s["script"]](verdict, s, out, folder, agent, ram_mb, promises)
    except (KeyError, IndexError, ValueError, TypeError, OSError) as error:
        verdict["broken"].append(f"the logs are not whole: {type(error).__name__} {error}")
    verdict["green"] = not verdict["broken"]
    return verdict


def line(v):
    name = f"{v['scenario']} {v['kernel']} {v['profile']} {v['agent']} run {v['run']}"
    return f"ok     {name}" if v["green"] else f"not ok {name}: {'; '.join(v['broken'])} [{v.get('folder', '-')}]"
