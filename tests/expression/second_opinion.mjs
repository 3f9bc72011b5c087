// @bufbuild/cel over requests in the form of evaluate_main.cc.
import {celEnv, celUint, isCelError, isCelList, isCelMap, isCelType, isCelUint, parse, plan} from '@bufbuild/cel';
import {create} from '@bufbuild/protobuf';
import {isReflectMessage} from '@bufbuild/protobuf/reflect';
import {DurationSchema, TimestampSchema} from '@bufbuild/protobuf/wkt';
import {STRUCTS} from './generator.mjs';

// Its duration has nanoseconds of the sign of its seconds; ours are added to them.
function span([, seconds, nanos], schema) {
  if (schema === DurationSchema && BigInt(seconds) < 0n && nanos !== 0) {
    return create(schema, {seconds: BigInt(seconds) + 1n, nanos: nanos - 1_000_000_000});
  }
  return create(schema, {seconds: BigInt(seconds), nanos});
}

export function input(value) {
  const [kind, content, more] = value;
  switch (kind) {
    case 'null': return null;
    case 'bool':
    case 'string': return content;
    case 'int': return BigInt(content);
    case 'uint': return celUint(BigInt(content));
    case 'double': return Number(content);
    case 'bytes': return new Uint8Array(Buffer.from(content, 'hex'));
    case 'timestamp': return span(value, TimestampSchema);
    case 'duration': return span(value, DurationSchema);
    case 'list': return content.map(input);
    case 'map': return new Map(content.map(([key, entry]) => [input(key), input(entry)]));
    case 'struct': {
      // A map without the fields that are not known: reading one fails, has() says so.
      const fields = STRUCTS.find(([name]) => name === content)[1];
      return new Map(fields.map(([name], i) => [name, more[i]]).filter(([, field]) => field[0] !== 'absent')
        .map(([name, field]) => [name, input(field)]));
    }
    default: throw new Error(`no input of kind ${kind}`);
  }
}

export function output(value) {
  if (value === null) return ['null'];
  switch (typeof value) {
    case 'boolean': return ['bool', value];
    case 'bigint': return ['int', String(value)];
    case 'number': return ['double', String(value)];
    case 'string': return ['string', value];
    default: break;
  }
  if (isCelUint(value)) return ['uint', String(value.value)];
  if (value instanceof Uint8Array) return ['bytes', Buffer.from(value).toString('hex')];
  if (isCelList(value)) return ['list', [...value].map(output)];
  if (isCelMap(value)) return ['map', [...value.entries()].map(([key, entry]) => [output(key), output(entry)])];
  if (isCelType(value)) return ['type', value.name];
  const message = isReflectMessage(value) ? value.message : value;
  const kind = message.$typeName === 'google.protobuf.Timestamp' ? 'timestamp' : 'duration';
  if (message.nanos < 0) return [kind, String(message.seconds - 1n), message.nanos + 1_000_000_000];
  return [kind, String(message.seconds), message.nanos];
}

// ["value", value] or ["error", message].
export function second(request) {
  try {
    const env = celEnv();
    const result = plan(env, parse(request.expression))(
      Object.fromEntries(request.variables.filter((variable) => variable.length > 2).map(([name, , value]) => [name, input(value)])));
    if (isCelError(result)) return ['error', result.message];
    return ['value', output(result)];
  } catch (error) {
    return ['error', String(error)];
  }
}
