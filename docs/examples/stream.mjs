// Chunk by chunk from Node 18 or later, without a package: node stream.mjs 127.0.0.1:8000 sample.mp4
const [url, video] = process.argv.slice(2);
const answer = await fetch(`http://${url}/v2/models/video_analysis_stream/generate_stream`, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({ VIDEO: video }),
});
if (!answer.ok) throw new Error((await answer.json()).error);

let text = "";
for await (const piece of answer.body.pipeThrough(new TextDecoderStream())) {
  text += piece;
  const events = text.split("\n\n");
  text = events.pop(); // an event may come in several pieces
  for (const event of events) {
    const chunk = JSON.parse(event.replace(/^data: /, ""));
    if (chunk.error) throw new Error(chunk.error);
    if (!chunk.IS_AGGREGATE) console.log(`${chunk.CHUNK_START_SECONDS} s: ${chunk.CAPTION_TEXT}`);
  }
}
