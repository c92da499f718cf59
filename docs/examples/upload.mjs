// A local file as bytes from Node 18 or later: node upload.mjs 127.0.0.1:8000 media/sample.mp4
import { readFile } from "node:fs/promises";

const [url, path] = process.argv.slice(2);
const video = await readFile(path);
const size = Buffer.alloc(4);
size.writeUInt32LE(video.length); // KServe v2: each BYTES value has its length before it
const head = Buffer.from(JSON.stringify({
  inputs: [{
    name: "VIDEO_DATA", datatype: "BYTES", shape: [1],
    parameters: { binary_data_size: size.length + video.length },
  }],
  outputs: [{ name: "CAPTION_TEXT" }, { name: "SCENE_TIMESTAMPS" }],
}));
const answer = await fetch(`http://${url}/v2/models/video_analysis/infer`, {
  method: "POST",
  headers: {
    "Content-Type": "application/octet-stream",
    "Inference-Header-Content-Length": String(head.length),
  },
  body: Buffer.concat([head, size, video]),
});
const { outputs, error } = await answer.json();
if (error) throw new Error(error);
for (const { name, data } of outputs) console.log(name, JSON.stringify(data));
