package workshop.parcels;

import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.post;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.header;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.jsonPath;
import static org.springframework.test.web.servlet.result.MockMvcResultMatchers.status;

import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.webmvc.test.autoconfigure.AutoConfigureMockMvc;
import org.springframework.http.MediaType;
import org.springframework.test.web.servlet.MockMvc;

@SpringBootTest
@AutoConfigureMockMvc
class ParcelControllerTest {

    @Autowired
    private MockMvc mvc;

    @Test
    void acceptsAParcel() throws Exception {
        mvc.perform(post("/api/parcels")
                        .contentType(MediaType.APPLICATION_JSON)
                        .content("""
                                {"recipient": "Ada", "postcode": "1010", "weight": 750}
                                """))
                .andExpect(status().isCreated())
                .andExpect(header().exists("Location"))
                .andExpect(jsonPath("$.recipient").value("Ada"));
    }

    @Test
    void answersNotFoundForAnUnknownParcel() throws Exception {
        mvc.perform(get("/api/parcels/987654")).andExpect(status().isNotFound());
    }
}
