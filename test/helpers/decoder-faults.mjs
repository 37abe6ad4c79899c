/** Loaded into decoder processes by tests: one whose turn it is to decode `crash...` or `hang...` does so, as native code may. */
const waiting = [];
process.on("message", ({ wanted }) => {
  waiting.push(wanted.file_name);
  act();
});
const send = process.send?.bind(process);
if (send)
  process.send = (message) => {
    if (message.type !== "ready") waiting.shift();
    const sent = send(message);
    act();
    return sent;
  };

function act() {
  if (waiting[0]?.startsWith("crash")) process.kill(process.pid, "SIGSEGV");
  if (waiting[0]?.startsWith("hang")) for (;;);
}
