export { type Emulator, type EmulatorOptions, startEmulator } from "./emulator.ts";
export {
  errorAnswer,
  type FaultOptions,
  fault,
  type Intercepted,
  type InterceptedRequest,
  type Interceptor,
} from "./http/interception.ts";
