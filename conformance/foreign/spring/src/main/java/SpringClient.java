import com.nimbusds.jose.jwk.JWK;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.Map;
import org.springframework.security.oauth2.client.endpoint.NimbusJwtClientAuthenticationParametersConverter;
import org.springframework.security.oauth2.client.endpoint.OAuth2ClientCredentialsGrantRequest;
import org.springframework.security.oauth2.client.endpoint.RestClientClientCredentialsTokenResponseClient;
import org.springframework.security.oauth2.client.registration.ClientRegistration;
import org.springframework.security.oauth2.core.AuthorizationGrantType;
import org.springframework.security.oauth2.core.ClientAuthenticationMethod;
import org.springframework.security.oauth2.core.endpoint.OAuth2AccessTokenResponse;

/** A caller that uses Spring Security's OAuth2 client as its documentation says. */
public final class SpringClient {
  public static void main(String[] args) throws Exception {
    Map<String, String> env = System.getenv();
    Trust.only(env.get("CA_FILE"));
    ClientAuthenticationMethod method =
        ClientAuthenticationMethod.valueOf(env.getOrDefault("AUTH", "client_secret_basic"));
    ClientRegistration registration =
        ClientRegistration.withRegistrationId("countersign")
            .clientId(env.get("CLIENT_ID"))
            .clientSecret(env.get("CLIENT_SECRET"))
            .clientAuthenticationMethod(method)
            .authorizationGrantType(AuthorizationGrantType.CLIENT_CREDENTIALS)
            .scope(env.get("SCOPE").split(" "))
            .tokenUri(env.get("TOKEN_ENDPOINT"))
            .build();
    var client = new RestClientClientCredentialsTokenResponseClient();
    client.addParametersConverter(
        request -> {
          var parameters = new org.springframework.util.LinkedMultiValueMap<String, String>();
          parameters.add("resource", env.get("RESOURCE"));
          return parameters;
        });
    if (method.equals(ClientAuthenticationMethod.PRIVATE_KEY_JWT)) {
      JWK key = JWK.parse(env.get("PRIVATE_JWK"));
      var converter =
          new NimbusJwtClientAuthenticationParametersConverter<OAuth2ClientCredentialsGrantRequest>(
              ignored -> key);
      // Left out, the audience is the token endpoint.
      if (env.containsKey("AUDIENCE"))
        converter.setJwtClientAssertionCustomizer(
            context -> context.getClaims().audience(java.util.List.of(env.get("AUDIENCE"))));
      client.addParametersConverter(converter);
    }
    OAuth2AccessTokenResponse token =
        client.getTokenResponse(new OAuth2ClientCredentialsGrantRequest(registration));
    HttpResponse<String> answer =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(env.get("API_URL")))
                    .header("Authorization", "Bearer " + token.getAccessToken().getTokenValue())
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    System.out.printf(
        "{\"scope\":\"%s\",\"status\":%d}%n",
        String.join(" ", token.getAccessToken().getScopes()), answer.statusCode());
  }
}
