#pragma once
// Points of -x^2 + y^2 = 1 + d x^2 y^2 modulo 2^255 - 19 (RFC 8032 5.1), for verification only:
// variable time. The formulas are complete (Hisil, Wong, Carter, Dawson 2008, for a = -1): they
// hold for every pair of points, the neutral one and those of small order too.

#include "ed25519_field.hpp"

#include <optional>

namespace draco::crypto::ed25519_detail {

// x = X / Z, y = Y / Z, x y = T / Z.
struct Point {
    Fe x, y, z, t;
};

// A point with Z = 1 as additions take it.
struct Addend {
    Fe y_plus_x, y_minus_x, xy2d;
};

Point neutral();
// nullopt: x^2 would be no square. The y is taken modulo p, and the sign bit as it is: whether the
// encoding is canonical is for the caller to judge.
std::optional<Point> decode_point(std::span<const std::uint8_t, 32> encoded);
std::array<std::uint8_t, 32> encode(const Point& point);
Point negated(const Point& point);
Point sum(const Point& a, const Point& b);
Point sum(const Point& a, const Addend& b);
Point difference(const Point& a, const Addend& b);
Point doubled(const Point& point);

// Multiples of a point: j * 256^i * P at [i][j - 1], for j from 1 to 8.
using Multiples = std::array<std::array<Addend, 8>, 32>;

// About 80 us.
Multiples multiples_of(const Point& point);

// a * A + b * B for scalars below 2^253, from the multiples of both: 128 additions at most, and
// four doublings.
Point sum_of_products(std::span<const std::uint8_t, 32> a,
                      const Multiples& of_a,
                      std::span<const std::uint8_t, 32> b,
                      const Multiples& of_b);

// Of the base point.
const Multiples& base_multiples();

}  // namespace draco::crypto::ed25519_detail
