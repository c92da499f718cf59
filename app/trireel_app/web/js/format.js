// SPDX-License-Identifier: Apache-2.0
/** Values as people read them. */

/** Seconds as `0:08.20` or `1:02:03.50`. */
export function clock(seconds, digits = 2) {
  const scale = 10 ** digits;
  const units = Math.round(Math.abs(seconds) * scale);
  const whole = Math.floor(units / scale);
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  const rest = String(whole % 60).padStart(2, "0");
  const part = digits ? "." + String(units % scale).padStart(digits, "0") : "";
  const head = hours ? `${hours}:${String(minutes).padStart(2, "0")}` : String(minutes);
  return `${seconds < 0 ? "-" : ""}${head}:${rest}${part}`;
}

/** A length such as `51 s`, `3 min 20 s` or `1 h 12 min`. */
export function length(seconds) {
  if (seconds < 60) return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  const all = Math.round(seconds);
  if (all < 3600) return `${Math.floor(all / 60)} min${all % 60 ? ` ${all % 60} s` : ""}`;
  return `${Math.floor(all / 3600)} h ${Math.floor(all / 60) % 60} min`;
}

/** Bytes as `1.0 MB`. */
export function bytes(count) {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let step = 0;
  for (; count >= 999.5 && step < units.length - 1; step++) count /= 1000;
  return `${step ? count.toFixed(count < 10 ? 1 : 0) : count} ${units[step]}`;
}

/** A probability as `97 %`; small ones as `<1 %`. */
export function percent(share) {
  if (share > 0 && share < 0.01) return "<1\u00a0%";
  return `${Math.round(share * 100)}\u00a0%`;
}

/** An ISO time as `5 minutes ago`. */
export function ago(iso) {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (seconds < 60) return "just now";
  for (const [unit, size] of [["minute", 60], ["hour", 3600], ["day", 86400]]) {
    const next = { minute: 3600, hour: 86400, day: 86400 * 30 }[unit];
    if (seconds < next) return words.format(-Math.floor(seconds / size), unit);
  }
  return new Date(iso).toLocaleDateString("en", { dateStyle: "medium" });
}

/** `1 scene`, `2 scenes`. */
export function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
