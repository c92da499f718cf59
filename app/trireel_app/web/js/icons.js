// SPDX-License-Identifier: Apache-2.0
/** Drawn on a grid of 24, with one weight of line. */
import { html } from "./html.js";

const PATHS = {
  library: "M4 5h7v6H4zM13 5h7v6h-7zM4 13h7v6H4zM13 13h7v6h-7z",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM15.5 15.5 20 20",
  jobs: "M5 6h14M5 12h14M5 18h8",
  server: "M4 5h16v6H4zM4 13h16v6H4zM8 8h.01M8 16h.01",
  ask: "M5 5h14v11h-8l-4 3.5V16H5z",
  add: "M12 5v14M5 12h14",
  trash: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13M10.5 11v5M13.5 11v5",
  download: "M12 4v11M7.5 11 12 15.5 16.5 11M5 20h14",
  link: "M10 14a4 4 0 0 0 5.7 0l3-3A4 4 0 0 0 13 5.300l-1 1M14 10a4 4 0 0 0-5.7 0l-3 3A4 4 0 0 0 11 18.700l1-1",
  close: "M6 6l12 12M18 6 6 18",
  retry: "M19 12a7 7 0 1 1-2.2-5.100M19 4v4h-4",
  theme: "M12 4a8 8 0 1 0 0 16zM12 4a8 8 0 0 1 0 16",
  out: "M14 4h5v16h-5M4 12h10M10 8l4 4-4 4",
  alert: "M12 4 21 19H3zM12 10v4M12 16.500h.01",
  upload: "M12 16V5M7.5 9.5 12 5l4.5 4.500M5 20h14",
  film: "M4 5h16v14H4zM8 5v14M16 5v14M4 9.700h4M4 14.300h4M16 9.700h4M16 14.300h4",
  send: "M5 12h13M13 7l5 5-5 5",
  boxes: "M5 9V5h4M15 5h4v4M19 15v4h-4M9 19H5v-4",
  info: "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 11v5M12 8h.01",
};

export function Icon({ name }) {
  return html`<svg class="icon-svg" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"><path d=${PATHS[name]} /></svg>`;
}

export function Mark() {
  return html`<svg viewBox="0 0 28 28" fill="none" stroke="currentColor" stroke-width="2.6" aria-hidden="true">
    <circle cx="8" cy="9" r="5" /><circle cx="20" cy="9" r="5" /><circle class="third" cx="14" cy="19.4" r="5" />
  </svg>`;
}
