// SPDX-License-Identifier: Apache-2.0
/** Views by the address's fragment: `#/videos/ID?t=8.2`. The server needs no route for them. */
import { useEffect, useState } from "./html.js";

export function readRoute(fragment = location.hash) {
  const [path, search = ""] = fragment.replace(/^#\/?/, "").split("?");
  const [view = "", ...rest] = path.split("/");
  return { view: view || "library", id: decodeURIComponent(rest.join("/")), values: new URLSearchParams(search) };
}

export function go(fragment, { replace = false } = {}) {
  if (replace) {
    history.replaceState(null, "", fragment);
    dispatchEvent(new HashChangeEvent("hashchange"));
  } else location.hash = fragment;
}

export const toVideo = (id, seconds) =>
  `#/videos/${encodeURIComponent(id)}${seconds == null ? "" : `?t=${seconds}`}`;

export function useRoute() {
  const [route, setRoute] = useState(readRoute);
  useEffect(() => {
    const update = () => setRoute(readRoute());
    addEventListener("hashchange", update);
    return () => removeEventListener("hashchange", update);
  }, []);
  return route;
}
