#!/usr/bin/env python3
"""compare.py OURS.json YARD.txt: hosa-load's answers beside libbpf's (yard.c), program by program."""
import collections
import json
import os
import sys

ours, our_maps = {}, {}
for line in open(sys.argv[1]):
    answer = json.loads(line)
    name = os.path.basename(answer["object"])
    our_maps[name] = [tuple(m.values()) for m in answer["maps"]]
    for program in answer["programs"]:
        ours[name, program["name"]] = program
theirs, their_maps = {}, collections.defaultdict(list)
for line in open(sys.argv[2]):
    words = line.split()
    if words[0] == "MAP":
        their_maps[words[1]].append((words[2], *map(int, words[3:])))
    elif words[1] != "OPEN":
        theirs[words[0], words[1]] = words

loaded = [key for key, words in theirs.items() if words[2] == "0"]
both = [key for key in loaded if ours.get(key, {}).get("errno") == 0]
equal = [key for key in both if ours[key]["fingerprint"] == theirs[key][4]]
more = [key for key, words in theirs.items() if words[2] != "0" and ours.get(key, {}).get("errno") == 0]
print(f"{len({key[0] for key in theirs})} objects: libbpf loads {len(loaded)} programs, hosa-load {len(both)} of them, "
      f"{len(equal)} with equal fingerprints; {len(more)} that libbpf does not")
for key in loaded:
    if key not in equal:
        print("  differs:", *key, ours.get(key, {}).get("errno"), ours.get(key, {}).get("instructions"), theirs[key][3])
PERF_EVENT_ARRAY = 4  # libbpf decides its size when it is made
for name, maps in their_maps.items():
    for mine, other in zip(our_maps.get(name, []), maps):
        if mine != other and other[1] != PERF_EVENT_ARRAY:
            print("  map differs:", name, mine, other)
