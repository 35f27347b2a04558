// The indices beside the distance (spec 4): small pure functions, each exact in test/fixtures/vectors/indices.csv or by
// hand in its test. All take what the caller measured over one window and answer a number without unit; what cannot be
// formed (nothing counted, nothing used) answers the value that accuses nobody.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hosa::detect {

// H = -sum p_i log2 p_i of counts, in bits; 0 log 0 = 0; 0 for nothing counted. Of syscall numbers, destinations, or
// (free-order entropy H_frag) of free blocks per order.
double entropy(std::span<const double> counts);

// H_frag over all zones: free blocks per order and zone, zone by zone, `orders` a row. Weighted by each zone's free
// pages (a block of order k has 2^k), divided by log2 orders: 1 all orders alike, 0 everything in one order.
double fragmentation_entropy(std::span<const double> free_blocks, std::size_t orders);

// R_ku: kernel time as a part of busy time, 0..1; 0 for an idle CPU.
double kernel_share(double kernel_seconds, double user_seconds);

// WEI: useful throughput per resource used, relative to what was learned: 1 as always, 0.5 half the work for the same
// resources. useful and used per second now and normally; 1 where either normal is not positive or nothing is used.
double work_efficiency(double useful, double used, double normal_useful, double normal_used);

// PBI: how much this looks like something that spreads: weighted mean of four indicators, each brought to 0..1 by
// x / (x + reference). Weights are relative; not positive all together counts as equal.
struct Propagation {
  double new_outbound_per_second = 0;  // connections
  double destination_entropy = 0;      // bits
  double births_per_second = 0;        // forks + execs
  double correlation = 0;              // of the distance with outbound traffic, -1..1; below 0 counts as 0
};
struct PropagationScale {
  double reference[3] = {10, 4, 20};  // connections/s, bits, births/s: half of the full mark
  double weight[4] = {0.25, 0.25, 0.25, 0.25};
};
double propagation_index(const Propagation& now, const PropagationScale& scale = {});

// EPI = 1 - (largest per-window mean load / capacity), clipped to 0..1, of one resource.
double excess_provisioning(std::span<const double> window_means, double capacity);
// Overall: of the resource that has least to spare. 1 for none.
double excess_provisioning(std::span<const double> per_resource);

// TTF: seconds until `left` is gone at `slope` per second (negative while it shrinks); infinity while it does not.
double time_to_failure(double left, double slope);

// Correlation of two series, running: mean, variance and covariance with one forgetting weight.
class RunningCorrelation {
 public:
  void add(double x, double y, double weight);
  // -1..1; 0 before either varied.
  double value() const;

 private:
  bool started_ = false;
  double x_ = 0, y_ = 0, xx_ = 0, yy_ = 0, xy_ = 0;
};

}  // namespace hosa::detect
