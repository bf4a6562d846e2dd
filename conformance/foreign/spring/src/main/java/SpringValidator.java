import com.nimbusds.jose.util.JSONObjectUtils;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.security.oauth2.jose.jws.SignatureAlgorithm;
import org.springframework.security.oauth2.jwt.Jwt;
import org.springframework.security.oauth2.jwt.JwtValidators;
import org.springframework.security.oauth2.jwt.NimbusJwtDecoder;

/** Spring Security's resource server, with its validator for RFC 9068, or as it comes. */
public final class SpringValidator {
  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    Trust.only(env.get("CA_FILE"));
    var builder =
        NimbusJwtDecoder.withJwkSetUri(env.get("JWKS_URI"))
            .jwsAlgorithm(SignatureAlgorithm.from(env.getOrDefault("ALG", "ES256")));
    boolean asItComes = "JWT".equals(env.get("TYP"));
    NimbusJwtDecoder decoder = asItComes ? builder.build() : builder.validateType(false).build();
    decoder.setJwtValidator(
        asItComes
            ? JwtValidators.createDefaultWithIssuer(env.get("ISSUER"))
            : JwtValidators.createAtJwtValidator()
                .issuer(env.get("ISSUER"))
                .audience(env.get("RESOURCE"))
                .clientId(env.get("CLIENT_ID"))
                .build());
    Jwt jwt = decoder.decode(env.get("TOKEN"));
    Map<String, Object> claims = new LinkedHashMap<>(jwt.getClaims());
    claims.put("iss", jwt.getIssuer().toString());
    claims.put("aud", jwt.getAudience().get(0));
    claims.put("iat", jwt.getIssuedAt().getEpochSecond());
    claims.put("exp", jwt.getExpiresAt().getEpochSecond());
    System.out.println(JSONObjectUtils.toJSONString(claims));
  }
}
