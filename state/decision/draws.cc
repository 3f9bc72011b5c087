#include "state/decision/draws.h"

#include <cmath>

namespace hilo::decision {

Draws::Draws(uint64_t seed, std::string_view name) : state_(seed) {
  // FNV-1a, then mixed by the generator itself.
  uint64_t hash = 14'695'981'039'346'656'037u;
  for (const char c : name) {
    hash ^= static_cast<unsigned char>(c);
    hash *= 1'099'511'628'211u;
  }
  state_ = Next() ^ hash;
  Next();
}

uint64_t Draws::Next() {
  state_ += 0x9e3779b97f4a7c15u;
  uint64_t z = state_;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

double Draws::Uniform() {
  // 53 bits, moved by half a step so that neither end is reached.
  return (static_cast<double>(Next() >> 11) + 0.5) * 0x1.0p-53;
}

double Draws::Normal() {
  for (;;) {
    const double u = 2 * Uniform() - 1;
    const double v = 2 * Uniform() - 1;
    const double square = u * u + v * v;
    if (square > 0 && square < 1) return u * std::sqrt(-2 * std::log(square) / square);
  }
}

double Draws::Gamma(double shape) {
  if (shape < 1) {
    // Boosted: Gamma(a) = Gamma(a + 1) · U^(1/a).
    return Gamma(shape + 1) * std::pow(Uniform(), 1 / shape);
  }
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = Normal();
    const double root = 1 + c * x;
    if (root <= 0) continue;
    const double v = root * root * root;
    const double u = Uniform();
    if (u < 1 - 0.0331 * x * x * x * x) return d * v;
    if (std::log(u) < 0.5 * x * x + d * (1 - v + std::log(v))) return d * v;
  }
}

double Draws::Beta(const Posterior& posterior) {
  const double a = Gamma(posterior.alpha);
  const double b = Gamma(posterior.beta);
  // Both may underflow for shapes near 0; then the mean is as good a draw as any.
  return a + b > 0 ? a / (a + b) : posterior.Mean();
}

}  // namespace hilo::decision
