// Reads test/fixtures/vectors/*.csv: each line is a name and numbers; the first line explains the formulas.
#pragma once
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "test/catch.h"

using Table = std::map<std::string, std::vector<double>>;

inline Table read_vectors(const std::string& name) {
  std::ifstream file("test/fixtures/vectors/" + name + ".csv");
  REQUIRE(file.good());
  Table table;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::stringstream cells(line);
    std::string key;
    std::getline(cells, key, ',');
    auto& row = table[key];
    for (std::string cell; std::getline(cells, cell, ',');) {
      char* end = nullptr;
      const double value = std::strtod(cell.c_str(), &end);
      if (end != cell.c_str()) row.push_back(value);  // words in between are comments
    }
  }
  REQUIRE(!table.empty());
  return table;
}

inline std::string indexed(const std::string& key, std::size_t i) {
  return key + "[" + std::to_string(i) + "]";
}

// Equal up to `relative` of the larger of the expected value and `scale`.
inline void check_near(double got, double expected, double relative = 1e-12, double scale = 1e-3) {
  INFO("got " << got << " expected " << expected);
  CHECK(std::abs(got - expected) <= relative * std::max(std::abs(expected), scale));
}
