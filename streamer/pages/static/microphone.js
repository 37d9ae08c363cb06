// A microphone as PCM16 frames. At 16 kHz where the browser resamples; else at the rate it has, the server resamples.
export class MicrophoneError extends Error {}

export async function open(deviceId, heard) {
  if (!isSecureContext || !navigator.mediaDevices) {
    throw new MicrophoneError("The browser gives a microphone only to pages from https or localhost. Open this page over https.");
  }
  let stream;
  try {
    const device = deviceId ? { deviceId: { exact: deviceId } } : {};
    stream = await navigator.mediaDevices.getUserMedia({ audio: { ...device, channelCount: 1, echoCancellation: true, noiseSuppression: true } });
  } catch (error) {
    throw new MicrophoneError({
      NotAllowedError: "The microphone was refused. Allow it for this page (the icon beside the address), then start again.",
      NotFoundError: "There is no microphone. Connect one, then start again.",
      NotReadableError: "The microphone is in use by another program, or does not answer.",
      OverconstrainedError: "The chosen microphone is gone. Choose another one.",
    }[error.name] || `The microphone cannot be used: ${error.message}`);
  }
  let context = new AudioContext({ sampleRate: 16000 });
  let source;
  try {
    source = context.createMediaStreamSource(stream);
  } catch {
    await context.close(); // this browser does not resample microphones
    context = new AudioContext();
    source = context.createMediaStreamSource(stream);
  }
  await context.audioWorklet.addModule("/static/capture-worklet.js");
  await context.resume();
  const capture = new AudioWorkletNode(context, "capture", { numberOfOutputs: 0 });
  capture.port.onmessage = ({ data }) => heard(data.samples, data.level);
  source.connect(capture);
  return {
    sampleRate: context.sampleRate,
    lost: new Promise((gone) => { stream.getTracks()[0].onended = gone; }),
    mute(muted) { for (const track of stream.getTracks()) track.enabled = !muted; },
    close() {
      for (const track of stream.getTracks()) track.stop();
      return context.close();
    },
  };
}

export async function list() {
  if (!navigator.mediaDevices) return [];
  return (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === "audioinput");
}
