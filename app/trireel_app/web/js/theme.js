// SPDX-License-Identifier: Apache-2.0
// Not a module: it runs before the first paint, so the page does not flash in the other theme.
try {
  const theme = localStorage.getItem("trireel-theme");
  if (theme) document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be closed; the system's theme is used.
}
