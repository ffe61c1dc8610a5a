#include "ed25519_curve.hpp"

#include <memory>
#include <vector>

namespace draco::crypto::ed25519_detail {
namespace {

struct Constants {
    Fe d;
    Fe d2;
    Fe root_of_minus_1;
};

const Constants& constants() {
    static const Constants kConstants = [] {
        const Fe d = (fe(0) - fe(121'665)) * inverse(fe(121'666));
        // 2 is no square, so 2^((p - 1) / 4) is a root; (p - 1) / 4 = 2 (2^252 - 3) + 1.
        return Constants{d, carried(d + d), square(power_for_root(fe(2))) * fe(2)};
    }();
    return kConstants;
}

// The four factors that both kinds of addition end with.
Point from_factors(const Fe& e, const Fe& f, const Fe& g, const Fe& h) {
    return {e * f, g * h, f * g, e * h};
}

using Digits = std::array<std::int8_t, 64>;

// The scalar is the sum of digit[i] * 16^i, each from -8 to 8.
Digits digits_of(std::span<const std::uint8_t, 32> scalar) {
    Digits digits;
    for (std::size_t i = 0; i < 32; ++i) {
        digits[2 * i] = static_cast<std::int8_t>(scalar[i] & 15);
        digits[2 * i + 1] = static_cast<std::int8_t>(scalar[i] >> 4);
    }
    int carry = 0;
    for (std::size_t i = 0; i < 63; ++i) {
        const int digit = digits[i] + carry;
        carry = (digit + 8) >> 4;
        digits[i] = static_cast<std::int8_t>(digit - carry * 16);
    }
    digits[63] = static_cast<std::int8_t>(digits[63] + carry);
    return digits;
}

void add_digit(Point& total, const std::array<Addend, 8>& multiples, int digit) {
    if (digit > 0) total = sum(total, multiples[static_cast<std::size_t>(digit - 1)]);
    if (digit < 0) total = difference(total, multiples[static_cast<std::size_t>(-digit - 1)]);
}

}  // namespace

Point neutral() {
    return {fe(0), fe(1), fe(1), fe(0)};
}

std::optional<Point> decode_point(std::span<const std::uint8_t, 32> encoded) {
    const Fe y = fe_of(encoded);
    const Fe u = square(y) - fe(1);
    const Fe v = constants().d * square(y) + fe(1);
    // RFC 8032 5.1.3: a candidate for the root of u / v.
    const Fe v3 = square(v) * v;
    Fe x = u * v3 * power_for_root(u * square(v3) * v);
    const Fe check = v * square(x);
    if (!are_equal(check, u)) {
        if (!are_equal(check, fe(0) - u)) return std::nullopt;
        x = x * constants().root_of_minus_1;
    }
    if (is_odd(x) != ((encoded[31] & 0x80) != 0)) x = fe(0) - x;
    return Point{x, y, fe(1), x * y};
}

std::array<std::uint8_t, 32> encode(const Point& point) {
    const Fe z = inverse(point.z);
    auto bytes = bytes_of(point.y * z);
    if (is_odd(point.x * z)) bytes[31] |= 0x80;
    return bytes;
}

Point negated(const Point& point) {
    return {fe(0) - point.x, point.y, point.z, fe(0) - point.t};
}

Point sum(const Point& a, const Point& b) {
    const Fe minus = (a.y - a.x) * (b.y - b.x);
    const Fe plus = (a.y + a.x) * (b.y + b.x);
    const Fe c = a.t * constants().d2 * b.t;
    const Fe zz = a.z * b.z;
    const Fe d = zz + zz;
    return from_factors(plus - minus, d - c, d + c, plus + minus);
}

Point sum(const Point& a, const Addend& b) {
    const Fe minus = (a.y - a.x) * b.y_minus_x;
    const Fe plus = (a.y + a.x) * b.y_plus_x;
    const Fe c = a.t * b.xy2d;
    const Fe d = a.z + a.z;
    return from_factors(plus - minus, d - c, d + c, plus + minus);
}

Point difference(const Point& a, const Addend& b) {
    const Fe minus = (a.y - a.x) * b.y_plus_x;
    const Fe plus = (a.y + a.x) * b.y_minus_x;
    const Fe c = a.t * b.xy2d;
    const Fe d = a.z + a.z;
    return from_factors(plus - minus, d + c, d - c, plus + minus);
}

Point doubled(const Point& point) {
    const Fe xx = square(point.x);
    const Fe yy = square(point.y);
    const Fe zz = square(point.z);
    const Fe g = yy - xx;
    const Fe h = yy + xx;
    return from_factors(square(point.x + point.y) - h, (zz + zz) - g, g, h);
}

Multiples multiples_of(const Point& point) {
    std::vector<Point> all;
    all.reserve(std::size_t{32} * 8);
    Point power = point;
    for (std::size_t i = 0; i < 32; ++i) {
        all.push_back(power);
        for (std::size_t j = 1; j < 8; ++j) all.push_back(sum(all.back(), power));
        for (std::size_t j = 0; j < 8; ++j) power = doubled(power);
    }
    // One inversion for all (Montgomery): products[i] is that of all z before i.
    std::vector<Fe> products;
    products.reserve(all.size());
    Fe product = fe(1);
    for (const Point& one : all) {
        products.push_back(product);
        product = product * one.z;
    }
    Fe rest = inverse(product);
    Multiples multiples;
    for (std::size_t i = all.size(); i-- > 0;) {
        const Fe z = rest * products[i];
        rest = rest * all[i].z;
        const Fe x = all[i].x * z;
        const Fe y = all[i].y * z;
        multiples[i / 8][i % 8] = {carried(y + x), y - x, x * y * constants().d2};
    }
    return multiples;
}

Point sum_of_products(std::span<const std::uint8_t, 32> a,
                      const Multiples& of_a,
                      std::span<const std::uint8_t, 32> b,
                      const Multiples& of_b) {
    const Digits digits_a = digits_of(a);
    const Digits digits_b = digits_of(b);
    Point total = neutral();
    const auto add_every_other = [&](std::size_t first) {
        for (std::size_t i = first; i < 64; i += 2) {
            add_digit(total, of_a[i / 2], digits_a[i]);
            add_digit(total, of_b[i / 2], digits_b[i]);
        }
    };
    add_every_other(1);
    for (int i = 0; i < 4; ++i) total = doubled(total);
    add_every_other(0);
    return total;
}

const Multiples& base_multiples() {
    static const std::unique_ptr<const Multiples> kMultiples = [] {
        // y = 4 / 5, x even.
        const auto encoded = bytes_of(fe(4) * inverse(fe(5)));
        return std::make_unique<const Multiples>(multiples_of(decode_point(encoded).value()));
    }();
    return *kMultiples;
}

}  // namespace draco::crypto::ed25519_detail
