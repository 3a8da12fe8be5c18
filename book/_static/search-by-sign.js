// A search for a sign looks for its name: the search index knows the names of Greek letters and of signs, not the signs.
// It runs before the search page's own script reads what was asked for.
"use strict";

(() => {
  const NAMES = {
    α: "alpha", β: "beta", γ: "gamma", δ: "delta", Δ: "Delta", ε: "varepsilon", η: "eta", θ: "theta", κ: "kappa", λ: "lambda", μ: "mu",
    ξ: "xi", π: "pi", σ: "sigma", Σ: "sum", "∑": "sum", "∂": "partial", "⊙": "odot", "∇": "nabla", ℓ: "ell", "ŷ": "hat y", "∞": "infty", "ᵀ": " transpose",
  };
  const asked = new URLSearchParams(location.search);
  const query = asked.get("q");
  if (!query || !document.getElementById("search-results")) return;
  const named = query.replace(/./gu, (sign) => (sign in NAMES ? ` ${NAMES[sign]} ` : sign)).replace(/\s+/g, " ").trim();
  if (named === query) return;
  asked.set("q", named);
  history.replaceState(null, "", `?${asked}`);
})();
