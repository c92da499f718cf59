// SPDX-License-Identifier: Apache-2.0
/** Resumable uploads by tus: a lost connection goes on, and so does the same file after a reload. */
import "../vendor/tus.js";
import { refresh, change, read, tell } from "./store.js";

const PIECE_BYTES = 32 * 1024 * 1024;
const RETRY_DELAYS_MS = [0, 1000, 3000, 5000, 10000, 20000];

function patch(upload, values) {
  const uploads = read().uploads.map((other) => (other.id === upload.id ? { ...other, ...values } : other));
  change({ uploads });
}

export function forget(upload) {
  change({ uploads: read().uploads.filter((other) => other.id !== upload.id) });
}

/** Upload files; each has a card on the wall until its video has one. */
export function addFiles(files) {
  for (const file of files) start(file);
}

function start(file) {
  const upload = { id: Math.random(), name: file.name, size: file.size, sent: 0, error: "", transfer: null };
  let video = "";
  const transfer = new window.tus.Upload(file, {
    endpoint: "/v1/uploads",
    chunkSize: PIECE_BYTES,
    retryDelays: RETRY_DELAYS_MS,
    removeFingerprintOnSuccess: true,
    metadata: { filename: file.name, filetype: file.type },
    onProgress: (sent) => patch(upload, { sent }),
    onAfterResponse: (_, response) => {
      video = response.getHeader("Trireel-Video") || video;
    },
    onSuccess: () => {
      forget(upload);
      if (video) refresh(video);
      tell(`${file.name} is uploaded.`);
    },
    onError: (error) => patch(upload, { error: reason(error) }),
  });
  upload.transfer = transfer;
  change({ uploads: [upload, ...read().uploads] });
  transfer.findPreviousUploads().then((found) => {
    if (found.length) transfer.resumeFromPreviousUpload(found[0]);
    transfer.start();
  });
}

export function again(upload) {
  patch(upload, { error: "" });
  upload.transfer.start();
}

export function stop(upload) {
  upload.transfer.abort(true).catch(() => {});
  forget(upload);
}

function reason(error) {
  try {
    return JSON.parse(error.originalResponse.getBody()).error.message;
  } catch {
    return "The connection was lost: try again, and the upload goes on.";
  }
}
