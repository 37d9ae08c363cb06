import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * JSON schemas of Strimzi's resources, from the classes its operator reads them with: its CRDs are in no registry.
 * Arguments: a folder, then CLASS=FILE pairs. A property that no class has is refused, a required one is not asked for.
 */
class StrimziSchemas {
    private final ObjectMapper mapper = new ObjectMapper();
    private final ObjectNode definitions = mapper.createObjectNode();
    private final Map<JavaType, String> names = new HashMap<>();

    public static void main(String[] arguments) throws Exception {
        for (int i = 1; i < arguments.length; i++) {
            String[] pair = arguments[i].split("=");
            StrimziSchemas schemas = new StrimziSchemas();
            ObjectNode root = schemas.of(schemas.mapper.constructType(Class.forName(pair[0])));
            root.set("definitions", schemas.definitions);
            Path file = Path.of(arguments[0], pair[1]);
            Files.createDirectories(file.getParent());
            schemas.mapper.writeValue(file.toFile(), root);
        }
    }

    private ObjectNode of(JavaType type) {
        Class<?> raw = type.getRawClass();
        ObjectNode schema = mapper.createObjectNode();
        if (type.isEnumType()) {
            ArrayNode values = schema.putArray("enum");
            for (Object value : raw.getEnumConstants()) {
                values.add(mapper.valueToTree(value));
            }
        } else if (type.isContainerType()) {
            schema.put("type", type.isMapLikeType() ? "object" : "array");
            schema.set(type.isMapLikeType() ? "additionalProperties" : "items", of(type.getContentType()));
        } else if (raw == Boolean.class || raw == boolean.class) {
            schema.put("type", "boolean");
        } else if (type.isPrimitive() || Number.class.isAssignableFrom(raw)) {
            schema.put("type", raw == Double.class || raw == double.class ? "number" : "integer");
        } else if (raw == String.class) {
            schema.put("type", "string");
        } else if (raw.getSimpleName().equals("Quantity") || raw.getSimpleName().equals("IntOrString")) {
            schema.putArray("type").add("string").add("integer").add("number");
        } else if (raw.getName().startsWith("io.strimzi.") || raw.getName().startsWith("io.fabric8.")) {
            schema.put("$ref", "#/definitions/" + named(type));
        } // else: anything, such as the values of a broker's configuration
        return schema;
    }

    private String named(JavaType type) {
        String name = names.get(type);
        if (name == null) {
            name = type.getRawClass().getName();
            names.put(type, name); // before its properties: types refer to themselves
            JsonSubTypes kinds = type.getRawClass().getAnnotation(JsonSubTypes.class);
            definitions.set(name, kinds == null ? bean(type) : oneOf(type, kinds));
        }
        return name;
    }

    private ObjectNode oneOf(JavaType type, JsonSubTypes kinds) {
        String discriminator = type.getRawClass().getAnnotation(JsonTypeInfo.class).property();
        ObjectNode schema = mapper.createObjectNode();
        ArrayNode alternatives = schema.putArray("oneOf");
        for (JsonSubTypes.Type kind : kinds.value()) {
            ObjectNode alternative = bean(mapper.constructType(kind.value()));
            alternative.withObject("/properties").putObject(discriminator).putArray("enum").add(kind.name());
            alternative.putArray("required").add(discriminator);
            alternatives.add(alternative);
        }
        return schema;
    }

    private ObjectNode bean(JavaType type) {
        ObjectNode schema = mapper.createObjectNode().put("type", "object").put("additionalProperties", false);
        ObjectNode properties = schema.putObject("properties");
        for (BeanPropertyDefinition property : mapper.getDeserializationConfig().introspect(type).findProperties()) {
            properties.set(property.getName(), of(property.getPrimaryType()));
        }
        return schema;
    }
}
