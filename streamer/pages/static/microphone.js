// A microphone as PCM16 frames. At 16 kHz where the browser resamples; else at the rate it has, the server resamples.
export class MicrophoneError extends Error {}

export const INSECURE = "The browser gives a microphone only to pages from https or localhost. Open this page over https to speak.";

const REASONS = {
  NotAllowedError: "The microphone was refused. Allow it for this page (the icon beside the address), then start again.",
  NotFoundError: "There is no microphone. Connect one, then start again.",
  NotReadableError: "The microphone is in use by another program, or does not answer.",
  OverconstrainedError: "The chosen microphone is gone. Choose another one.",
};

// `heard` is called with every 40 ms of sound (an ArrayBuffer) and its level (root mean square, 0 to 1).
export async function open(deviceId, heard) {
  if (!isSecureContext || !navigator.mediaDevices) throw new MicrophoneError(INSECURE);
  let stream;
  try {
    const device = deviceId ? { deviceId: { exact: deviceId } } : {};
    stream = await navigator.mediaDevices.getUserMedia({ audio: { ...device, channelCount: 1, echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    throw new MicrophoneError(REASONS[error.name] || `The microphone cannot be used: ${error.message}`);
  }
  const [track] = stream.getTracks();
  try {
    const { context, sampleRate } = await capture(stream, heard);
    return {
      sampleRate,
      lost: new Promise((gone) => { track.onended = gone; }),
      // Silence is still sent: a caption's time counts from the sound before it.
      mute(muted) { track.enabled = !muted; },
      async close() {
        track.stop();
        if (context.state !== "closed") await context.close();
      },
    };
  } catch (error) {
    track.stop();
    throw new MicrophoneError(`The microphone cannot be heard in this browser: ${error.message}`);
  }
}

async function capture(stream, heard) {
  let context = new AudioContext({ sampleRate: 16000 });
  let source;
  try {
    source = context.createMediaStreamSource(stream);
  } catch {
    await context.close(); // this browser does not resample microphones
    context = new AudioContext();
    source = context.createMediaStreamSource(stream);
  }
  await context.audioWorklet.addModule(new URL("capture-worklet.js", import.meta.url));
  await context.resume();
  const fold = Math.ceil(context.sampleRate / 48000); // the server takes 48 kHz at most
  const node = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0, processorOptions: { fold } });
  node.port.onmessage = ({ data }) => heard(data.samples, data.level);
  source.connect(node);
  return { context, sampleRate: Math.round(context.sampleRate / fold) };
}

export async function list() {
  if (!navigator.mediaDevices) return [];
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "audioinput");
}
