// SPDX-License-Identifier: Apache-2.0
/** Calls of the gateway. The session's cookie goes with each of them. */

export class ApiError extends Error {
  /** A refused call: HTTP status (0 if the gateway did not answer), kind, and one sentence. */
  constructor(status, kind, message) {
    super(message);
    this.status = status;
    this.kind = kind;
  }
}

const signedOut = new Set();

/** Call `listener` if the gateway answers that the session has ended. */
export function onSignedOut(listener) {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

async function refusal(response) {
  let error = {};
  try {
    error = (await response.json()).error ?? {};
  } catch {
    // Not the gateway's own answer: a proxy's, for example.
  }
  const message = error.message ?? `The server answered with status ${response.status}.`;
  return new ApiError(response.status, error.kind ?? "Error", sentence(message));
}

function sentence(text) {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

/** Call the gateway; returns the parsed JSON, or null for an empty answer; throws ApiError. */
export async function call(method, path, { body, signal } = {}) {
  const headers = { Accept: "application/json" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, {
      method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "Unreachable", "The server does not answer: check that it runs.");
  }
  if (!response.ok) {
    const error = await refusal(response);
    if (error.status === 401 && path !== "/v1/session") signedOut.forEach((listener) => listener());
    throw error;
  }
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

const at = (id) => `/v1/videos/${encodeURIComponent(id)}`;

export const api = {
  session: () => call("GET", "/v1/session"),
  signIn: (key) => call("POST", "/v1/session", { body: { key } }),
  signOut: () => call("DELETE", "/v1/session"),
  videos: (values = {}) => call("GET", `/v1/videos?${query(values)}`),
  video: (id) => call("GET", at(id)),
  addAddress: (uri) => call("POST", "/v1/videos", { body: { uri } }),
  remove: (id) => call("DELETE", at(id)),
  cancel: (id) => call("POST", `${at(id)}/cancel`),
  retry: (id) => call("POST", `${at(id)}/retry`),
  result: (id) => call("GET", `${at(id)}/result`),
  frames: (id) => call("GET", `${at(id)}/frames`),
  ownTags: (id, tags, signal) => call("POST", `${at(id)}/tags`, { body: { tags }, signal }),
  search: (values, signal) => call("GET", `/v1/search?${query(values)}`, { signal }),
  jobs: () => call("GET", "/v1/jobs"),
  job: (id, action) => call("POST", `/v1/jobs/${encodeURIComponent(id)}/${action}`),
  server: () => call("GET", "/v1/server"),
  chats: () => call("GET", "/v1/chat/sessions"),
  ask: (body, signal) => call("POST", "/v1/chat", { body, signal }),
};

export const fileOf = (id) => `${at(id)}/file`;
export const posterOf = (id) => `${at(id)}/thumbnail`;
export const sceneOf = (id, scene) => `${at(id)}/scenes/${scene}/thumbnail`;
export const exportOf = (id, name) => `${at(id)}/exports/${name}`;

function query(values) {
  const pairs = Object.entries(values).filter(([, value]) => value !== "" && value != null);
  return new URLSearchParams(pairs).toString();
}
