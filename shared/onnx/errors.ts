import { TouchstoneError } from "../errors.ts";

/** Said of bytes that cannot be read as fields of a message. */
export const NO_MODEL = "it is no ONNX model, or its end is missing (truncated, or not protobuf)";

/** The bytes are not a ModelProto that can be read. */
export class OnnxFormatError extends TouchstoneError {
  readonly code = "ONNX_FORMAT";

  constructor(where: string, problem: string, options: { cause?: unknown } = {}) {
    super(`ONNX file: ${where}: ${problem}.`, {
      ...options,
      remedy: "Export the model again, with its weights inside the file.",
    });
  }
}
